/* weir verify: whether a recorded run agrees with itself. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/cli.h"
#include "record/reader.h"
#include "run/verify.h"

static const char help[] =
    "usage: weir verify FILE.h5 [--digest] [--json]\n"
    "\n"
    "Checks a recorded run against itself and the config recorded with it: computes the summary\n"
    "and the totals again from the requests and compares them exactly; checks that requests and\n"
    "tokens are conserved, that the times of every request are in order, that the samples add up\n"
    "to what the instances did, and the bill. Prints a line for every check. Of a file made by\n"
    "'weir recover' it checks what is there and says what is not.\n"
    "\n"
    "The exit status is 0 when every check holds, 1 when one fails, 2 for a file that cannot be\n"
    "checked.\n"
    "\n"
    "options:\n"
    "      --digest   print the content digest and nothing else: 32 hex digits, equal for runs of\n"
    "                 equal results, whatever the machine, the time and the compression\n"
    "      --json     print the result as JSON\n"
    "\n"
    "examples:\n"
    "  weir verify run.h5\n"
    "  test \"$(weir verify --digest a.h5)\" = \"$(weir verify --digest b.h5)\"\n"
    "  weir verify run.h5 --json | jq '.checks[] | select(.outcome == \"fails\")'\n";

static const char *const outcomes[] = {"holds", "FAILS", "skipped"};
static const char *const json_outcomes[] = {"holds", "fails", "skipped"};

typedef struct verify_arguments {
	const char *path;
	bool digest, json;
} verify_arguments;

static int print_json(cJSON *root)
{
	char *text = weir_json_print(root);
	cJSON_Delete(root);
	if (text == NULL) {
		weir_error error = {0};
		weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory");
		return cli_fail(&error);
	}
	fputs(text, stdout);
	free(text);
	return 0;
}

static int print_digest(const verify_arguments *arguments)
{
	char digest[WEIR_DIGEST_SIZE];
	weir_error error = {0};
	weir_reader *reader = NULL;
	weir_status status = weir_reader_open(arguments->path, &reader, &error);
	if (status == WEIR_OK) {
		status = weir_reader_digest(reader, digest, &error);
	}
	weir_reader_close(reader);
	if (status != WEIR_OK) {
		return cli_fail(&error);
	}
	if (!arguments->json) {
		puts(digest);
		return 0;
	}
	cJSON *root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "file", arguments->path);
	cJSON_AddStringToObject(root, "digest", digest);
	return print_json(root);
}

static int print_report_json(const char *path, const weir_verify_report *report)
{
	cJSON *root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "file", path);
	cJSON_AddBoolToObject(root, "holds", report->failed == 0);
	cJSON *checks = cJSON_AddArrayToObject(root, "checks");
	for (int i = 0; i < WEIR_VERIFY_COUNT; i++) {
		cJSON *check = cJSON_CreateObject();
		cJSON_AddStringToObject(check, "name", weir_verify_descriptions[i].name);
		cJSON_AddStringToObject(check, "description", weir_verify_descriptions[i].description);
		cJSON_AddStringToObject(check, "outcome", json_outcomes[report->checks[i].outcome]);
		cJSON_AddStringToObject(check, "detail", report->checks[i].detail);
		cJSON_AddItemToArray(checks, check);
	}
	return print_json(root);
}

static void print_report(const char *path, const weir_verify_report *report)
{
	size_t skipped = 0;
	for (int i = 0; i < WEIR_VERIFY_COUNT; i++) {
		printf("%-14s %-8s %s\n", weir_verify_descriptions[i].name,
		       outcomes[report->checks[i].outcome], report->checks[i].detail);
		skipped += report->checks[i].outcome == WEIR_VERIFY_SKIPPED;
	}
	printf("%s: %zu checks hold, %zu fail, %zu skipped\n", path,
	       WEIR_VERIFY_COUNT - skipped - report->failed, report->failed, skipped);
}

static int verify(const verify_arguments *arguments)
{
	weir_verify_report report;
	weir_error error = {0};
	if (weir_verify(arguments->path, &report, &error) != WEIR_OK) {
		return cli_fail(&error);
	}
	if (arguments->json) {
		int failed = print_report_json(arguments->path, &report);
		if (failed != 0) {
			return failed;
		}
	} else {
		print_report(arguments->path, &report);
	}
	return report.failed == 0 ? 0 : weir_status_exit(WEIR_ERROR_INTERNAL);
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"digest", no_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'}, {0}};
	verify_arguments arguments = {0};
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'd':
			arguments.digest = true;
			break;
		case 'j':
			arguments.json = true;
			break;
		default:
			return cli_usage_error(command, "unknown option '%s'", argv[optind - 1]);
		}
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one FILE.h5 is needed, %d are given", argc - optind);
	}
	arguments.path = argv[optind];
	return arguments.digest ? print_digest(&arguments) : verify(&arguments);
}

const weir_command command_verify = {
    .name = "verify",
    .summary = "check a recorded run, or print its digest",
    .help = help,
    .run = run,
};
