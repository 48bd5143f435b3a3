#include "support/fuzz.h"
#include "support/fuzz_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace("azure", data, size);
}
