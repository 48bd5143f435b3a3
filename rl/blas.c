#include "rl/blas.h"

#include <dlfcn.h>
#include <string.h>

/* The numbers of CblasRowMajor, CblasNoTrans and CblasTrans. */
enum { ROW_MAJOR = 101, AS_STORED = 111, TRANSPOSED = 112 };

/* dlsym gives functions as pointers to data, which C does not convert. */
static bool find(void *library, const char *name, void *function, size_t size)
{
	void *found = dlsym(library, name);
	if (found == NULL) {
		return false;
	}
	memcpy(function, &found, size);
	return true;
}

/* NULL with dlerror() when it cannot be loaded. *first: nobody in the process had it before. */
static void *load(bool *first)
{
	static const char *const names[] = {"libopenblas.so.0", "libopenblas.so"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		void *library = dlopen(names[i], RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
		*first = library == NULL;
		if (library == NULL) {
			/* Unloading would stop its threads under whoever else uses it. */
			library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		}
		if (library != NULL) {
			return library;
		}
	}
	return NULL;
}

/* The threads that OpenBLAS starts when it is loaded spin for a tenth of a second each before they
 * sleep. Where nobody else had the library they are ended; it starts them again where it is asked
 * to use more than one. */
static void use_one_thread(void *library, bool first)
{
	int (*get_threads)(void) = NULL;
	void (*set_threads)(int) = NULL;
	int (*end_threads)(void) = NULL;
	if (find(library, "openblas_get_num_threads", &get_threads, sizeof get_threads) &&
	    find(library, "openblas_set_num_threads", &set_threads, sizeof set_threads) &&
	    get_threads() != 1) {
		set_threads(1);
	}
	if (first && find(library, "blas_thread_shutdown_", &end_threads, sizeof end_threads)) {
		end_threads();
	}
}

weir_status weir_blas_open(weir_blas *blas, weir_error *error)
{
	bool first;
	void *library = load(&first);
	if (library == NULL) {
		const char *why = dlerror();
		return weir_error_set(error, WEIR_ERROR_IO, NULL,
		                      "networks need OpenBLAS, which cannot be loaded (%s); on Debian or "
		                      "Ubuntu: apt-get install libopenblas0",
		                      why != NULL ? why : "no reason given");
	}
	bool complete = find(library, "cblas_sgemm", &blas->sgemm, sizeof blas->sgemm);
	if (complete) {
		use_one_thread(library, first);
	}
	dlclose(library);
	if (!complete) {
		return weir_error_set(error, WEIR_ERROR_IO, NULL,
		                      "networks need an OpenBLAS with CBLAS; the one that is installed has "
		                      "no cblas_sgemm");
	}
	return WEIR_OK;
}

void weir_blas_multiply(const weir_blas *blas, const weir_product *product, const float *a,
                        const float *b, float *c)
{
	int m = (int)product->m;
	int n = (int)product->n;
	int k = (int)product->k;
	blas->sgemm(ROW_MAJOR, product->a_transposed ? TRANSPOSED : AS_STORED,
	            product->b_transposed ? TRANSPOSED : AS_STORED, m, n, k, 1.0f, a,
	            product->a_transposed ? m : k, b, product->b_transposed ? k : n,
	            product->add ? 1.0f : 0.0f, c, n);
}
