#include "rl/blas.h"

#include <dlfcn.h>
#include <gsl/gsl_blas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rl/action_distribution.h"
#include "support/test_support.h"

enum { LARGEST = 70 };

static void fill(float *matrix, size_t count, weir_xoshiro *random)
{
	for (size_t i = 0; i < count; i++) {
		matrix[i] = (float)weir_xoshiro_normal(random);
	}
}

static void check_product(const weir_blas *blas, const weir_product *product, weir_xoshiro *random)
{
	static float a[LARGEST * LARGEST];
	static float b[LARGEST * LARGEST];
	static float c[LARGEST * LARGEST];
	static float before[LARGEST * LARGEST];
	size_t m = product->m;
	size_t n = product->n;
	size_t k = product->k;
	fill(a, m * k, random);
	fill(b, k * n, random);
	fill(c, m * n, random);
	memcpy(before, c, sizeof c);
	weir_blas_multiply(blas, product, a, b, c);
	for (size_t row = 0; row < m; row++) {
		for (size_t column = 0; column < n; column++) {
			double sum = product->add ? (double)before[row * n + column] : 0;
			for (size_t i = 0; i < k; i++) {
				double left = (double)(product->a_transposed ? a[i * m + row] : a[row * k + i]);
				double right =
				    (double)(product->b_transposed ? b[column * k + i] : b[i * n + column]);
				sum += left * right;
			}
			ck_assert_double_eq_tol((double)c[row * n + column], sum, 1e-5 * sqrt((double)k));
		}
	}
}

START_TEST(products_are_those_of_plain_loops)
{
	weir_blas blas;
	weir_error error = {0};
	ck_assert_ok(weir_blas_open(&blas, &error), &error);
	weir_xoshiro random = weir_xoshiro_seed(1);
	static const size_t sizes[][3] = {{1, 1, 1}, {3, 2, 5}, {1, 64, 4}, {64, 1, 64}, {33, 70, 17}};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (unsigned how = 0; how < 8; how++) {
			const weir_product product = {.m = sizes[i][0],
			                              .n = sizes[i][1],
			                              .k = sizes[i][2],
			                              .a_transposed = (how & 1) != 0,
			                              .b_transposed = (how & 2) != 0,
			                              .add = (how & 4) != 0};
			check_product(&blas, &product, &random);
		}
	}
}
END_TEST

/* What the process and GSL know as CBLAS is what they were linked with. */
START_TEST(its_symbols_stay_its_own)
{
	double numbers[] = {3, 4};
	gsl_vector_view vector = gsl_vector_view_array(numbers, 2);
	ck_assert_double_eq(gsl_blas_dnrm2(&vector.vector), 5);
	void *before = dlsym(RTLD_DEFAULT, "cblas_sgemm");
	weir_blas blas;
	weir_error error = {0};
	ck_assert_ok(weir_blas_open(&blas, &error), &error);
	void *after = dlsym(RTLD_DEFAULT, "cblas_sgemm");
	ck_assert_ptr_nonnull(before);
	ck_assert_ptr_eq(before, after);
	ck_assert_ptr_null(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));
	void *ours;
	memcpy(&ours, &blas.sgemm, sizeof ours);
	ck_assert_ptr_ne(ours, after);
	Dl_info gsl;
	Dl_info open;
	ck_assert_int_ne(dladdr(after, &gsl), 0);
	ck_assert_int_ne(dladdr(ours, &open), 0);
	ck_assert_ptr_nonnull(strstr(gsl.dli_fname, "gslcblas"));
	ck_assert_ptr_nonnull(strstr(open.dli_fname, "openblas"));
}
END_TEST

static int threads_of_process(void)
{
	char *status = test_read_file("/proc/self/status", NULL);
	const char *line = strstr(status, "\nThreads:");
	int threads = line == NULL ? -1 : (int)strtol(line + strlen("\nThreads:"), NULL, 10);
	free(status);
	return threads;
}

/* Two forks deep, as worker processes of worker processes; products are the same everywhere. */
START_TEST(a_process_may_fork_after_it_and_has_one_thread)
{
	weir_blas blas;
	weir_error error = {0};
	int before = threads_of_process();
	ck_assert_ok(weir_blas_open(&blas, &error), &error);
	ck_assert_ok(weir_blas_open(&blas, &error), &error);
	ck_assert_int_eq(threads_of_process(), before);
	static float a[LARGEST * LARGEST];
	static float here[LARGEST * LARGEST];
	weir_xoshiro random = weir_xoshiro_seed(2);
	fill(a, LARGEST * LARGEST, &random);
	const weir_product product = {.m = LARGEST, .n = LARGEST, .k = LARGEST};
	weir_blas_multiply(&blas, &product, a, a, here);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		static float there[LARGEST * LARGEST];
		weir_blas again;
		pid_t grandchild = fork();
		int status = 0;
		bool works = weir_blas_open(&again, &error) == WEIR_OK;
		weir_blas_multiply(&again, &product, a, a, there);
		works = works && memcmp(here, there, sizeof here) == 0;
		works = works &&
		        (grandchild == 0 || (waitpid(grandchild, &status, 0) == grandchild && status == 0));
		_exit(works ? 0 : 1);
	}
	int status = -1;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/blas");
	TCase *tests = tcase_create("blas");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, products_are_those_of_plain_loops);
	tcase_add_test(tests, its_symbols_stay_its_own);
	tcase_add_test(tests, a_process_may_fork_after_it_and_has_one_thread);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
