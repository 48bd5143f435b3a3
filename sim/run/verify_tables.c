/* The cluster of a recorded run, read: /instances and /servers by id, /pools by pool. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/verification.h"

static weir_status no_memory(weir_verification *v)
{
	return weir_error_set(v->error, WEIR_ERROR_MEMORY, NULL, "out of memory");
}

/* One table while it is read. */
typedef struct table_reading {
	const char *name;
	uint64_t rows;
	double *values;
	uint64_t *seats; /* of each row: where it stands by id */
	char *names;
} table_reading;

static weir_status open_table(weir_verification *v, const char *name, table_reading *table)
{
	*table = (table_reading){.name = name};
	weir_status status = weir_reader_rows(v->reader, name, &table->rows, v->error);
	if (status != WEIR_OK) {
		return status;
	}
	/* Ids are written as int32. */
	if (table->rows > INT32_MAX) {
		return weir_error_set(v->error, WEIR_ERROR_INPUT, weir_reader_path(v->reader),
		                      "has %llu rows in /%s, more than there are ids",
		                      (unsigned long long)table->rows, name);
	}
	size_t count = (size_t)table->rows + 1;
	table->values = weir_allocate(count, sizeof *table->values);
	table->seats = weir_allocate(count, sizeof *table->seats);
	table->names = weir_allocate(count, WEIR_COLUMN_NAME_SIZE);
	return table->values != NULL && table->seats != NULL && table->names != NULL ? WEIR_OK
	                                                                             : no_memory(v);
}

static void close_table(table_reading *table)
{
	free(table->values);
	free(table->seats);
	free(table->names);
}

static weir_status read_column(weir_verification *v, table_reading *table, const char *column)
{
	return weir_reader_read(v->reader, table->name, column, 0, table->rows, table->values,
	                        v->error);
}

/* Where each row stands by its id, the values read last. When these are not 0 to N - 1, each once,
 * rows stay where they are. */
static void find_seats(weir_verification *v, weir_verify_check check, table_reading *table)
{
	for (uint64_t i = 0; i < table->rows; i++) {
		table->seats[i] = UINT64_MAX;
	}
	bool dense = true;
	for (uint64_t i = 0; i < table->rows; i++) {
		double id = table->values[i];
		bool fits = id >= 0 && id < (double)table->rows && id == floor(id) &&
		            table->seats[(size_t)id] == UINT64_MAX;
		if (fits) {
			table->seats[(size_t)id] = i;
		} else if (dense) {
			weir_verify_fail(
			    v, check, "row %llu of /%s has id %.17g: ids are not 0 to %llu, each once",
			    (unsigned long long)i, table->name, id, (unsigned long long)table->rows - 1);
		}
		dense = dense && fits;
	}
	for (uint64_t i = 0; i < table->rows; i++) {
		table->seats[i] = dense ? (uint64_t)table->values[i] : i;
	}
}

static const weir_instance_type *find_type(weir_verification *v, weir_verify_check check,
                                           const table_reading *table, uint64_t row,
                                           double application)
{
	const char *name = table->names + row * WEIR_COLUMN_NAME_SIZE;
	if (application >= 0 && application < (double)v->config->application_count) {
		const weir_application *of = &v->built.cluster.applications[(size_t)application];
		for (size_t t = 0; t < of->type_count; t++) {
			if (strncmp(name, of->types[t].sku->name, WEIR_COLUMN_NAME_SIZE - 1) == 0) {
				return &of->types[t];
			}
		}
	}
	weir_verify_fail(v, check, "row %llu of /%s is on a %s, which its application does not have",
	                 (unsigned long long)row, table->name, name);
	return NULL;
}

#define READ_FIELD(field, type, column, unit, description)                                         \
	if (status == WEIR_OK) {                                                                       \
		status = read_column(v, &table, #field);                                                   \
		for (uint64_t i = 0; status == WEIR_OK && i < table.rows; i++) {                           \
			rows[table.seats[i]].field = table.values[i];                                          \
		}                                                                                          \
	}

static weir_status read_instances(weir_verification *v)
{
	table_reading table;
	weir_verify_instance *rows = NULL;
	weir_status status = open_table(v, weir_instances_table.name, &table);
	if (status == WEIR_OK) {
		v->instance_count = (uint32_t)table.rows;
		v->instances = rows = weir_allocate((size_t)table.rows + 1, sizeof *rows);
		v->work = weir_allocate((size_t)table.rows + 1, sizeof *v->work);
		status = v->instances != NULL && v->work != NULL ? read_column(v, &table, "instance")
		                                                 : no_memory(v);
	}
	if (status == WEIR_OK) {
		find_seats(v, WEIR_VERIFY_instances, &table);
	}
	WEIR_INSTANCE_ROW(READ_FIELD)
	if (status == WEIR_OK) {
		status = weir_reader_read_names(v->reader, table.name, "sku", 0, table.rows, table.names,
		                                v->error);
	}
	for (uint64_t i = 0; status == WEIR_OK && i < table.rows; i++) {
		weir_verify_instance *row = &rows[table.seats[i]];
		row->type = find_type(v, WEIR_VERIFY_instances, &table, i, row->application);
	}
	close_table(&table);
	return status;
}

static weir_status read_servers(weir_verification *v)
{
	table_reading table;
	weir_verify_server *rows = NULL;
	weir_status status = open_table(v, weir_servers_table.name, &table);
	if (status == WEIR_OK) {
		v->server_count = (uint32_t)table.rows;
		v->servers = rows = weir_allocate((size_t)table.rows + 1, sizeof *rows);
		status = rows != NULL ? read_column(v, &table, "server") : no_memory(v);
	}
	if (status == WEIR_OK) {
		find_seats(v, WEIR_VERIFY_bill, &table);
	}
	WEIR_SERVER_ROW(READ_FIELD)
	if (status == WEIR_OK) {
		status = weir_reader_read_names(v->reader, table.name, "sku", 0, table.rows, table.names,
		                                v->error);
	}
	for (uint64_t i = 0; status == WEIR_OK && i < table.rows; i++) {
		weir_verify_server *row = &rows[table.seats[i]];
		row->type = find_type(v, WEIR_VERIFY_bill, &table, i, row->application);
	}
	close_table(&table);
	return status;
}

/* Puts the rows of /pools where they belong; one that belongs nowhere, or twice, is a failure. */
static void place_pools(weir_verification *v, const weir_verify_pool *rows, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		const weir_verify_pool *row = &rows[i];
		if (!(row->application >= 0 && row->application < (double)v->config->application_count &&
		      row->pool >= 0 && row->pool < WEIR_TAG_COUNT)) {
			weir_verify_fail(v, WEIR_VERIFY_pools,
			                 "row %llu of /pools: the config has no such pool",
			                 (unsigned long long)i);
			continue;
		}
		weir_verify_pool *pool =
		    &v->pools[(size_t)row->application * WEIR_TAG_COUNT + (size_t)row->pool];
		if (pool->paid > 0) {
			weir_verify_fail(v, WEIR_VERIFY_pools, "row %llu of /pools: its pool is there twice",
			                 (unsigned long long)i);
		}
		*pool = *row;
		pool->paid = row->paid_scaling_up + row->paid_active + row->paid_draining;
	}
}

static weir_status read_pools(weir_verification *v)
{
	table_reading table;
	weir_verify_pool *rows = NULL;
	weir_status status = open_table(v, weir_pools_table.name, &table);
	if (status == WEIR_OK) {
		rows = weir_allocate((size_t)table.rows + 1, sizeof *rows);
		v->pools = weir_allocate(v->config->application_count * WEIR_TAG_COUNT, sizeof *v->pools);
		status = rows != NULL && v->pools != NULL ? WEIR_OK : no_memory(v);
	}
	for (uint64_t i = 0; status == WEIR_OK && i < table.rows; i++) {
		table.seats[i] = i;
	}
	WEIR_POOL_ROW(READ_FIELD)
	if (status == WEIR_OK) {
		place_pools(v, rows, table.rows);
	}
	free(rows);
	close_table(&table);
	return status;
}

weir_status weir_verify_read_cluster(weir_verification *v)
{
	weir_status status = read_instances(v);
	if (status == WEIR_OK) {
		status = read_servers(v);
	}
	return status == WEIR_OK ? read_pools(v) : status;
}
