/*
 * docs/hdf5-schema.md says what is recorded: it is printed from the column lists in the code.
 * WEIR_REGENERATE=1 in the environment writes it anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables.h"
#include "support/test_support.h"

static const char PATH[] = WEIR_SOURCE_DIR "/docs/hdf5-schema.md";

/* clang-format off: one line of text each, as in the document */
static const char introduction[] =
    "# What a recorded file holds\n"
    "\n"
    "<!-- Printed from the code's column lists by tests/test_run_schema.c; do not edit. -->\n"
    "\n"
    "`weir run` writes one HDF5 file. Each table is a group; each of its columns is a dataset of "
    "one\n"
    "dimension, all of one length. A column has the attributes `units` (empty where it has none) "
    "and\n"
    "`description`; an integer that stands for a name has the names in the attribute `values`, "
    "that of\n"
    "0 first. [metrics.md](metrics.md) defines the quantities.\n"
    "\n"
    "Columns are chunked and not compressed; `record.deflate` turns on shuffle and deflate. A "
    "missing\n"
    "time is NaN. Names are fixed-size UTF-8 strings, padded with NUL.\n"
    "\n"
    "## Root attributes\n"
    "\n"
    "| attribute | what |\n"
    "| --- | --- |\n"
    "| `format` | \"weir run\" |\n";

static const char attributes[] = "| `status` | \"complete\"; in a `.part` file \"running\" while "
                                 "it is written, \"aborted\" after an "
                                 "error; \"partial\" after `weir recover` |\n"
                                 "| `abort_reason` | why, of an aborted run |\n"
                                 "| `seed` | seed of the run |\n"
                                 "\n"
                                 "## /provenance\n"
                                 "\n"
                                 "What two equal runs need not have in common: `command_line`, "
                                 "`version`, `workload` (where the\n"
                                 "requests came from), `started` (UTC), `host` and `cpu_seconds` "
                                 "as attributes, and the dataset\n"
                                 "`config`, the whole config as JSON. `weir run` repeats the run "
                                 "with it:\n"
                                 "\n"
                                 "    h5dump -d /provenance/config -b -o again.json run.h5\n"
                                 "    weir run again.json -o again.h5\n"
                                 "\n"
                                 "## /agent, /decisions, /training\n"
                                 "\n"
                                 "Of a run that trained agents drove: a text, and tables whose "
                                 "columns depend on the agents.\n"
                                 "[agents.md](agents.md#in-runs) describes them; each column has "
                                 "its unit and description.\n";
/* clang-format on */

static const char *type_name(weir_column_type type)
{
	static const char *const names[] = {
	    [WEIR_COLUMN_DOUBLE] = "float64", [WEIR_COLUMN_INT64] = "int64",
	    [WEIR_COLUMN_INT32] = "int32",    [WEIR_COLUMN_UINT32] = "uint32",
	    [WEIR_COLUMN_UINT8] = "uint8",    [WEIR_COLUMN_NAME] = "string"};
	return names[type];
}

static void print_table(FILE *out, const weir_table_schema *table)
{
	fprintf(out, "\n## /%s\n\n%s\n\n| column | type | unit | what |\n| --- | --- | --- | --- |\n",
	        table->name, table->description);
	for (size_t i = 0; i < table->column_count; i++) {
		const weir_column *column = &table->columns[i];
		fprintf(out, "| `%s` | %s | %s | %s", column->name, type_name(column->type),
		        strcmp(column->unit, "1") == 0 ? "" : column->unit, column->description);
		for (size_t v = 0; column->value_names != NULL && column->value_names[v] != NULL; v++) {
			fprintf(out, "%s %zu: %s", v > 0 ? "," : "", v, column->value_names[v]);
		}
		fputs(" |\n", out);
	}
}

static void print_totals(FILE *out)
{
	fputs("\n| name | unit | what |\n| --- | --- | --- |\n", out);
	for (size_t i = 0; i < weir_total_count; i++) {
		const weir_total_description *total = &weir_total_descriptions[i];
		fprintf(out, "| `%s` | %s | %s |\n", total->name,
		        strcmp(total->unit, "1") == 0 ? "" : total->unit, total->description);
	}
}

static char *print_schema(void)
{
	static const weir_table_schema *const tables[] = {
	    &weir_requests_table,   &weir_samples_table,   &weir_instances_table,
	    &weir_servers_table,    &weir_pools_table,     &weir_scaling_events_table,
	    &weir_iterations_table, &weir_transfers_table, &weir_summary_table,
	    &weir_totals_table};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	fputs(introduction, out);
	fprintf(out, "| `weir_schema_version` | %d |\n", WEIR_RECORD_SCHEMA_VERSION);
	fputs(attributes, out);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		print_table(out, tables[i]);
	}
	print_totals(out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(the_document_is_what_the_code_prints)
{
	char *text = print_schema();
	if (getenv("WEIR_REGENERATE") != NULL) {
		test_write_file(PATH, text);
	}
	size_t size;
	char *document = test_read_file(PATH, &size);
	ck_assert_msg(strcmp(document, text) == 0,
	              "%s is not what the code's column lists say; WEIR_REGENERATE=1 writes it anew",
	              PATH);
	free(document);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_schema");
	TCase *document = tcase_create("document");
	tcase_add_test(document, the_document_is_what_the_code_prints);
	suite_add_tcase(suite, document);
	return test_main(suite);
}
