/* The engines that this build has. */
#include <stddef.h>

#include "study/sweep_engine.h"

const weir_sweep_engine *const weir_sweep_engines[] = {
    &weir_sweep_engine_local,
    &weir_sweep_engine_slurm,
#ifdef WEIR_MPI
    &weir_sweep_engine_mpi,
#endif
    NULL,
};
