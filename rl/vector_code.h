/*
 * Loops compiled twice, for any x86-64 and for AVX2, chosen when they are called. Both do the same
 * operations on every number (AVX2 alone has no fused multiply-add), so both give the same bits.
 */
#ifndef WEIR_RL_VECTOR_CODE_H
#define WEIR_RL_VECTOR_CODE_H

/*
 * Begins the definition of the function void NAME ARGUMENTS, which the body follows; PASSED are the
 * names of the arguments, in brackets. Numbers of the body must not depend on the width of vectors:
 * sums over a loop have a fixed number of partial sums.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#define WEIR_VECTOR_CODE(name, arguments, passed)                                                  \
	static inline __attribute__((always_inline)) void name##_body arguments;                       \
	static __attribute__((target("avx2"))) void name##_avx2 arguments                              \
	{                                                                                              \
		name##_body passed;                                                                        \
	}                                                                                              \
	static void name##_any arguments                                                               \
	{                                                                                              \
		name##_body passed;                                                                        \
	}                                                                                              \
	void name arguments                                                                            \
	{                                                                                              \
		if (__builtin_cpu_supports("avx2")) {                                                      \
			name##_avx2 passed;                                                                    \
		} else {                                                                                   \
			name##_any passed;                                                                     \
		}                                                                                          \
	}                                                                                              \
	static inline __attribute__((always_inline)) void name##_body arguments
#else
#define WEIR_VECTOR_CODE(name, arguments, passed) void name arguments
#endif

#endif
