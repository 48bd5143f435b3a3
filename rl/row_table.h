/* A recorded table whose columns are known only when a run begins. */
#ifndef WEIR_RL_ROW_TABLE_H
#define WEIR_RL_ROW_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "record/record.h"

WEIR_BEGIN_C

typedef struct weir_row_table weir_row_table;

/* `name` and `description` are borrowed. NULL when memory is out. */
WEIR_API weir_row_table *weir_row_table_create(const char *name, const char *description);
/* Not before the recorder that it is defined in is closed. */
WEIR_API void weir_row_table_destroy(weir_row_table *table);

/* A column: `type` is DOUBLE, INT64, INT32 or UINT8; names and texts are copied, `value_names` (or
 * NULL) is borrowed. Returns its number, that of the column that has the name already, or -1 when
 * memory is out. */
WEIR_API int weir_row_table_add(weir_row_table *table, weir_column_type type, const char *unit,
                                const char *description, const char *const *value_names,
                                const char *name_format, ...) WEIR_PRINTF(6, 7);

/* Adds the table to a recorder, before its start. No column can be added after it. */
WEIR_API weir_status weir_row_table_define(weir_row_table *table, weir_recorder *recorder,
                                           weir_error *error);

/* The row to be appended: numbers are NaN, integers 0 until they are set. */
WEIR_API void weir_row_table_clear(weir_row_table *table);
/* Columns of integers get whole numbers. */
WEIR_API void weir_row_table_set(weir_row_table *table, int column, double value);
WEIR_API weir_status weir_row_table_append(weir_row_table *table, weir_error *error);

WEIR_END_C

#endif
