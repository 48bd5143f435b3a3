/* The event engine against a sorted list, operation by operation. */
#ifndef WEIR_TESTS_ENGINE_ORACLE_H
#define WEIR_TESTS_ENGINE_ORACLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Performs `operations` random operations of every kind on an engine and on a sorted list and fails
 * the test at the first difference. The number pending swings between 0 and `population`.
 */
void engine_against_oracle(uint64_t seed, size_t operations, size_t population);

#endif
