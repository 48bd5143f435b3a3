/* Rows of a run's tables from what serving shows, and the totals that follow from the cluster's
 * state. Internal to the run room. */
#ifndef WEIR_RUN_ROWS_H
#define WEIR_RUN_ROWS_H

#include "metrics/summary.h"
#include "run/sim.h"
#include "run/tables.h"

/* `removed`: when it was, in seconds; NaN for one that is left. `now`: the time of the view. */
void weir_instance_row_of(const weir_cluster *cluster, const weir_instance_view *view,
                          double removed, weir_instance_row *row);
void weir_server_row_of(const weir_cluster *cluster, const weir_server_view *view, double now,
                        double removed, weir_server_row *row);

/* Fills one row for each pool that ever had an instance, at most WEIR_TAG_COUNT for each
 * application; returns how many. */
size_t weir_pool_rows_of(const weir_sim *sim, weir_pool_row *rows);

#endif
