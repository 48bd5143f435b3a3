#include "run/tables.h"

#include <stddef.h>

#include "metrics/sample.h"
#include "serving/activity_row.h"
#include "serving/request_row.h"
#include "serving/serving_config.h"

#define COLUMN(row, field_, column_, unit_, description_)                                          \
	{                                                                                              \
		.name = #field_, .type = WEIR_COLUMN_##column_, .offset = offsetof(row, field_),           \
		.unit = (unit_), .description = (description_),                                            \
		.value_names = WEIR_NAMES_##column_(field_)                                                \
	}

/* An 8-bit column stands for names; the others are plain numbers. */
#define WEIR_NAMES_DOUBLE(field) NULL
#define WEIR_NAMES_INT64(field)  NULL
#define WEIR_NAMES_INT32(field)  NULL
#define WEIR_NAMES_NAME(field)   NULL
#define WEIR_NAMES_UINT8(field)  names_of_##field

#define names_of_status  weir_request_status_names
#define names_of_pool    weir_tag_names
#define names_of_state   weir_instance_state_names
#define names_of_action  weir_scaling_action_names
#define names_of_reason  weir_refusal_texts
#define names_of_outcome weir_transfer_outcome_names

#define COUNT(columns) (sizeof(columns) / sizeof((columns)[0]))

static const weir_column request_columns[] = {
#define REQUEST_COLUMN(field, type, column, unit, description)                                     \
	COLUMN(weir_request_row, field, column, unit, description),
    WEIR_REQUEST_ROW(REQUEST_COLUMN)};

const weir_table_schema weir_requests_table = {
    .name = "requests",
    .description = "One row per request, in the order in which they ended; then those unfinished.",
    .columns = request_columns,
    .column_count = COUNT(request_columns),
    .row_size = sizeof(weir_request_row),
};

static const weir_column sample_columns[] = {
#define SAMPLE_COLUMN(field, type, column, unit, description)                                      \
	COLUMN(weir_sample_row, field, column, unit, description),
    WEIR_SAMPLE_ROW(SAMPLE_COLUMN)};

const weir_table_schema weir_samples_table = {
    .name = "samples",
    .description = "One row per sampling interval and pool.",
    .columns = sample_columns,
    .column_count = COUNT(sample_columns),
    .row_size = sizeof(weir_sample_row),
};

static const weir_column instance_columns[] = {
#define INSTANCE_COLUMN(field, type, column, unit, description)                                    \
	COLUMN(weir_instance_row, field, column, unit, description),
    WEIR_INSTANCE_ROW(INSTANCE_COLUMN)
        COLUMN(weir_instance_row, sku, NAME, "", "SKU of its server."),
};

const weir_table_schema weir_instances_table = {
    .name = "instances",
    .description = "One row per instance, in the order of their removal; then those that were left "
                   "at the end.",
    .columns = instance_columns,
    .column_count = COUNT(instance_columns),
    .row_size = sizeof(weir_instance_row),
};

static const weir_column server_columns[] = {
#define SERVER_COLUMN(field, type, column, unit, description)                                      \
	COLUMN(weir_server_row, field, column, unit, description),
    WEIR_SERVER_ROW(SERVER_COLUMN) COLUMN(weir_server_row, sku, NAME, "", "Its SKU."),
};

const weir_table_schema weir_servers_table = {
    .name = "servers",
    .description = "One row per server, in the order of their removal; then those that were left "
                   "at the end.",
    .columns = server_columns,
    .column_count = COUNT(server_columns),
    .row_size = sizeof(weir_server_row),
};

static const weir_column pool_columns[] = {
#define POOL_COLUMN(field, type, column, unit, description)                                        \
	COLUMN(weir_pool_row, field, column, unit, description),
    WEIR_POOL_ROW(POOL_COLUMN)};

const weir_table_schema weir_pools_table = {
    .name = "pools",
    .description = "One row per pool that ever had an instance: the whole run.",
    .columns = pool_columns,
    .column_count = COUNT(pool_columns),
    .row_size = sizeof(weir_pool_row),
};

static const weir_column scaling_event_columns[] = {
#define SCALING_EVENT_COLUMN(field, type, column, unit, description)                               \
	COLUMN(weir_scaling_event_row, field, column, unit, description),
    WEIR_SCALING_EVENT_ROW(SCALING_EVENT_COLUMN)
        COLUMN(weir_scaling_event_row, actor, NAME, "", "Who asked for it."),
};

const weir_table_schema weir_scaling_events_table = {
    .name = "scaling_events",
    .description = "One row for everything that was asked of the ScalingManager, and for every "
                   "change of an instance or server, in the order in which they happened.",
    .columns = scaling_event_columns,
    .column_count = COUNT(scaling_event_columns),
    .row_size = sizeof(weir_scaling_event_row),
};

static const weir_column iteration_columns[] = {
#define ITERATION_COLUMN(field, type, column, unit, description)                                   \
	COLUMN(weir_iteration_row, field, column, unit, description),
    WEIR_ITERATION_ROW(ITERATION_COLUMN)};

const weir_table_schema weir_iterations_table = {
    .name = "iterations",
    .description =
        "Only with record.iterations: one row for the iterations of an instance that ran "
        "as one event, with one batch, in the order in which they ended; then those that "
        "ran at the end.",
    .columns = iteration_columns,
    .column_count = COUNT(iteration_columns),
    .row_size = sizeof(weir_iteration_row),
};

static const weir_column transfer_columns[] = {
#define TRANSFER_COLUMN(field, type, column, unit, description)                                    \
	COLUMN(weir_transfer_row, field, column, unit, description),
    WEIR_TRANSFER_ROW(TRANSFER_COLUMN)};

const weir_table_schema weir_transfers_table = {
    .name = "transfers",
    .description =
        "Only with record.iterations: one row per KV transfer, in the order in which they "
        "ended; then those that were under way at the end.",
    .columns = transfer_columns,
    .column_count = COUNT(transfer_columns),
    .row_size = sizeof(weir_transfer_row),
};

static const weir_column summary_columns[] = {
    COLUMN(weir_summary_metric, metric, NAME, "", "What was measured."),
    COLUMN(weir_summary_metric, unit, NAME, "", "Its unit."),
    COLUMN(weir_summary_metric, count, INT64, "1", "Completed requests that have a value."),
#define SUMMARY_COLUMN(field, description)                                                         \
	COLUMN(weir_summary_metric, field, DOUBLE, "", description),
    WEIR_SUMMARY_STATISTICS(SUMMARY_COLUMN)};

const weir_table_schema weir_summary_table = {
    .name = "summary",
    .description = "Exact statistics of the completed requests, one row per metric.",
    .columns = summary_columns,
    .column_count = COUNT(summary_columns),
    .row_size = sizeof(weir_summary_metric),
};

static const weir_column total_columns[] = {
    COLUMN(weir_total_row, name, NAME, "", "Name of the figure."),
    COLUMN(weir_total_row, value, DOUBLE, "", "Its value."),
    COLUMN(weir_total_row, unit, NAME, "", "Its unit."),
};

const weir_table_schema weir_totals_table = {
    .name = "totals",
    .description = "Single figures of the run.",
    .columns = total_columns,
    .column_count = COUNT(total_columns),
    .row_size = sizeof(weir_total_row),
};

const weir_total_description weir_total_descriptions[] = {
#define TOTAL_DESCRIPTION(field, unit, description)                                                \
	{#field, unit, description, offsetof(weir_totals, field)},
    WEIR_TOTALS(TOTAL_DESCRIPTION)};

const size_t weir_total_count = COUNT(weir_total_descriptions);
