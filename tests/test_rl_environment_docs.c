/*
 * The tables of docs/environment.md are what the code's lists say. WEIR_REGENERATE=1 in the
 * environment writes them anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl/envs.h"
#include "rl/scaling_action.h"
#include "rl/scaling_features.h"
#include "rl/scaling_loop.h"
#include "support/test_support.h"

static const char PATH[] = WEIR_SOURCE_DIR "/docs/environment.md";

/* --- the tables ------------------------------------------------------------------------------- */

static void print_key(void *context, const char *path, const weir_key *key)
{
	FILE *out = context;
	char expected[256];
	fprintf(out, "| `%s` | %s | %s | %s |\n", path,
	        key->forms != NULL ? key->forms : weir_keys_expected(expected, sizeof expected, key),
	        key->default_text != NULL ? key->default_text : "", key->doc);
}

static void print_parameters(FILE *out)
{
	fputs("| key | takes | default | what |\n| --- | --- | --- | --- |\n", out);
	weir_keys_walk(weir_env_type_scaling.keys, "", print_key, out);
	for (size_t i = 0; weir_reward_types[i] != NULL; i++) {
		fprintf(out, "\n`reward` of kind `%s`: %s.\n\n", weir_reward_names[i],
		        weir_reward_types[i]->summary);
		fputs("| key | takes | default | what |\n| --- | --- | --- | --- |\n", out);
		weir_keys_walk(weir_reward_types[i]->keys, "reward", print_key, out);
	}
}

static void print_features(FILE *out)
{
	fputs("| # | feature | from | to | group | whose | what |\n"
	      "| --- | --- | --- | --- | --- | --- | --- |\n",
	      out);
	int number = 0;
#define PRINT_FEATURE(name, low, high, group, pool, description)                                   \
	fprintf(out, "| %d | `%s` | %d | %d | %s | %s | %s |\n", ++number, #name, low, high, #group,   \
	        #pool, description);
	WEIR_FEATURES(PRINT_FEATURE)
#undef PRINT_FEATURE
	fputs("\n| group | default | what |\n| --- | --- | --- |\n| base | always | The features that "
	      "every agent has. |\n",
	      out);
#define PRINT_GROUP(name, default_, doc)                                                           \
	fprintf(out, "| %s | %s | %s |\n", #name, default_ ? "on" : "off", doc);
	WEIR_FEATURE_GROUPS(PRINT_GROUP)
#undef PRINT_GROUP
}

static void print_actions(FILE *out)
{
	fputs("| dimension | what |\n| --- | --- |\n", out);
#define PRINT_PART(PART, name, description) fprintf(out, "| `%s` | %s |\n", #name, description);
	WEIR_ACTION_PARTS(PRINT_PART)
#undef PRINT_PART
}

static void print_rewards(FILE *out)
{
	for (size_t i = 0; weir_reward_types[i] != NULL; i++) {
		const weir_reward_type *type = weir_reward_types[i];
		fprintf(out, "%s`%s`: %s.\n\n| term | what |\n| --- | --- |\n", i > 0 ? "\n" : "",
		        type->name, type->summary);
		for (size_t t = 0; t < type->term_count; t++) {
			fprintf(out, "| `%s` | %s |\n", type->terms[t].name, type->terms[t].description);
		}
		for (size_t c = 0; c < type->coefficient_count; c++) {
			fprintf(out, "\nCoefficient: `%s`.\n", type->coefficient_names[c]);
		}
	}
}

static void print_figures(FILE *out)
{
	fputs("| figure | unit | what |\n| --- | --- | --- |\n", out);
#define PRINT_FIGURE(name, unit, description)                                                      \
	fprintf(out, "| `%s` | %s | %s |\n", #name, unit, description);
	WEIR_SCALING_FIGURES(PRINT_FIGURE)
#undef PRINT_FIGURE
}

static void print_checks(FILE *out)
{
	fputs("| check | what holds |\n| --- | --- |\n", out);
	for (size_t i = 0; weir_env_check_names[i] != NULL; i++) {
		fprintf(out, "| %s | %s |\n", weir_env_check_names[i], weir_env_check_texts[i]);
	}
}

static const struct {
	const char *name;
	void (*print)(FILE *out);
} parts[] = {
    {"parameters", print_parameters}, {"features", print_features}, {"actions", print_actions},
    {"rewards", print_rewards},       {"figures", print_figures},   {"checks", print_checks},
};

/* --- the document ----------------------------------------------------------------------------- */

/* Copies `document` with what stands between the marks of each part printed anew. */
static char *print_document(const char *document)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char begin[64], end[64];
		snprintf(begin, sizeof begin, "<!-- begin %s -->\n", parts[i].name);
		snprintf(end, sizeof end, "<!-- end %s -->\n", parts[i].name);
		const char *from = strstr(document, begin);
		const char *to = strstr(document, end);
		ck_assert_msg(from != NULL && to != NULL, "%s has no part %s", PATH, parts[i].name);
		from += strlen(begin);
		fwrite(document, 1, (size_t)(from - document), out);
		parts[i].print(out);
		document = to;
	}
	fputs(document, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(tables_are_what_the_code_says)
{
	size_t size;
	char *document = test_read_file(PATH, &size);
	char *text = print_document(document);
	if (getenv("WEIR_REGENERATE") != NULL) {
		test_write_file(PATH, text);
		free(document);
		document = test_read_file(PATH, &size);
	}
	ck_assert_msg(strcmp(document, text) == 0,
	              "the tables of %s are not what the code says; WEIR_REGENERATE=1 writes them anew",
	              PATH);
	free(document);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("environment_docs");
	TCase *cases = tcase_create("document");
	tcase_add_test(cases, tables_are_what_the_code_says);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
