/* The properties of every trace reader. */
#ifndef WEIR_TESTS_FUZZ_TRACE_H
#define WEIR_TESTS_FUZZ_TRACE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads `data` as a trace of that format ("auto": by its first line), strictly and not: arrivals
 * never decrease, sizes are in range, errors name the line, a restored reader goes on with the same
 * request, and what is read strictly is read the same otherwise. Returns 0.
 */
int fuzz_trace(const char *format, const uint8_t *data, size_t size);

#endif
