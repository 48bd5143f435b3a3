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

weir_status weir_blas_open(weir_blas *blas, weir_error *error)
{
	static const char *const names[] = {"libopenblas.so.0", "libopenblas.so"};
	void *library = NULL;
	for (size_t i = 0; library == NULL && i < sizeof names / sizeof names[0]; i++) {
		/* Unloading would stop its threads under whoever else uses it. */
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	}
	if (library == NULL) {
		return weir_error_set(error, WEIR_ERROR_IO, names[0],
		                      "networks need OpenBLAS, which cannot be loaded (%s); on Debian or "
		                      "Ubuntu: apt-get install libopenblas0",
		                      dlerror());
	}
	void (*set_threads)(int) = NULL;
	if (!find(library, "cblas_sgemm", &blas->sgemm, sizeof blas->sgemm) ||
	    !find(library, "openblas_set_num_threads", &set_threads, sizeof set_threads)) {
		dlclose(library);
		return weir_error_set(error, WEIR_ERROR_IO, names[0],
		                      "this library has no cblas_sgemm or no openblas_set_num_threads: it "
		                      "is not the OpenBLAS with CBLAS that networks need");
	}
	set_threads(1);
	dlclose(library);
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
