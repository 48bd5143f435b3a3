/* What every fuzz target shares. */
#ifndef WEIR_TESTS_FUZZ_H
#define WEIR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The entry point that libFuzzer and replay.c call; aborts when a property does not hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts, in every build type, with the text of the condition. */
#define fuzz_require(condition)                                                                    \
	do {                                                                                           \
		if (!(condition)) {                                                                        \
			fuzz_fail(__FILE__, __LINE__, #condition);                                             \
		}                                                                                          \
	} while (0)

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* The path of a file in memory that holds `data`, valid until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

#endif
