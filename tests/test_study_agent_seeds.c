/* Several agents of one training beside policies, from made-up figures. */
#include "study/agent_seeds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/bootstrap.h"
#include "support/test_support.h"

enum { AGENTS = 5, POLICIES = AGENTS + 2, SCENARIOS = 2, REPLICATIONS = 3 };

/* A study whose runs cost what the test says. */
typedef struct fixture {
	weir_study_plan plan;
	weir_study study;
	weir_study_section sections[SCENARIOS + 1];
	weir_study_row rows[SCENARIOS + 1][POLICIES];
	weir_study_figures figures[SCENARIOS + 1][POLICIES][REPLICATIONS];
} fixture;

static const char *const names[] = {"a", "b", "c", "d", "e", "never", "best_known"};

/* Agent a costs 100 + 10 * a in scenario 0, three times that in scenario 1; never costs 200 and
 * 600; a replication adds as much to each. */
static double cost_at(size_t scenario, size_t policy, size_t replication)
{
	double cost = policy < AGENTS ? 100.0 + 10.0 * (double)policy : 200.0;
	return (scenario == 0 ? 1.0 : 3.0) * cost * (1.0 + 0.1 * (double)replication);
}

static double attainment_at(size_t scenario, size_t policy, size_t replication)
{
	double share = policy < AGENTS ? 0.9 + 0.01 * (double)policy : 0.8;
	return share + 0.02 * (double)scenario + 0.001 * (double)replication;
}

static void make(fixture *f, size_t scenarios)
{
	memset(f, 0, sizeof *f);
	f->plan = weir_study_plan_default();
	f->plan.scenario_count = scenarios;
	f->plan.policy_count = POLICIES - 1;
	f->plan.replications = REPLICATIONS;
	f->study = (weir_study){.plan = &f->plan,
	                        .row_count = POLICIES,
	                        .section_count = scenarios + (scenarios > 1),
	                        .sections = f->sections};
	for (size_t s = 0; s < f->study.section_count; s++) {
		f->sections[s].name = s == 0 ? "bursty" : s < scenarios ? "steady" : "mean";
		f->sections[s].rows = f->rows[s];
		for (size_t p = 0; p < POLICIES; p++) {
			f->rows[s][p].name = names[p];
			f->rows[s][p].figures = f->figures[s][p];
			for (size_t r = 0; r < REPLICATIONS; r++) {
				weir_study_figures *figures = &f->figures[s][p][r];
				*figures = weir_study_figures_none();
				figures->cost_usd = cost_at(s, p, r);
				/* What is only bounded has no attainment. */
				figures->attainment = p + 1 < POLICIES ? attainment_at(s, p, r) : (double)NAN;
			}
		}
	}
}

/* The interval of one score for each agent and scenario. */
static weir_interval expected(const double *scores, size_t scenarios)
{
	double values[AGENTS * SCENARIOS];
	memcpy(values, scores, AGENTS * scenarios * sizeof *values);
	const size_t strata[SCENARIOS] = {AGENTS, AGENTS};
	weir_bootstrap_options options = weir_bootstrap_options_default();
	options.method = WEIR_BOOTSTRAP_PERCENTILE;
	options.strata = strata;
	options.stratum_count = scenarios;
	const weir_statistic iqm = weir_statistic_iqm();
	weir_interval interval;
	weir_error error = {0};
	ck_assert_ok(weir_bootstrap(values, AGENTS * scenarios, &iqm, &options, &interval, &error),
	             &error);
	return interval;
}

static void check_interval(const weir_interval *found, const double *scores, size_t scenarios)
{
	weir_interval right = expected(scores, scenarios);
	ck_assert_double_eq_tol(found->value, right.value, 1e-9);
	ck_assert_double_eq_tol(found->low, right.low, 1e-9);
	ck_assert_double_eq_tol(found->high, right.high, 1e-9);
	ck_assert_double_lt(found->low, found->high);
}

START_TEST(scores_are_means_of_replications)
{
	static fixture f;
	make(&f, SCENARIOS);
	weir_agent_seeds seeds;
	weir_error error = {0};
	ck_assert_ok(weir_agent_seeds_of(&f.study, AGENTS, &seeds, &error), &error);
	ck_assert_uint_eq(seeds.section_count, 3);
	ck_assert_uint_eq(seeds.row_count, 2);
	double cost[2 * AGENTS], relative[2 * AGENTS], attainment[2 * AGENTS], above[2 * AGENTS];
	for (size_t i = 0; i < 2 * AGENTS; i++) {
		size_t s = i / AGENTS, a = i % AGENTS;
		cost[i] = 1.1 * cost_at(s, a, 0);
		relative[i] = 100.0 * (cost_at(0, a, 0) / 200.0 - 1.0);
		attainment[i] = attainment_at(s, a, 1);
		above[i] = attainment[i] - attainment_at(s, AGENTS, 1);
	}
	for (size_t i = 0; i < 3; i++) {
		const weir_seed_section *section = &seeds.sections[i];
		size_t first = i < 2 ? i * AGENTS : 0;
		size_t scenarios = i < 2 ? 1 : 2;
		ck_assert_str_eq(section->name, i == 0 ? "bursty" : i == 1 ? "steady" : "all");
		check_interval(&section->attainment, attainment + first, scenarios);
		check_interval(&section->rows[0].relative_cost, relative + first, scenarios);
		check_interval(&section->rows[0].attainment_difference, above + first, scenarios);
		ck_assert_str_eq(section->rows[0].policy, "never");
		ck_assert_str_eq(section->rows[1].policy, "best_known");
		ck_assert(isnan(section->rows[1].attainment_difference.value));
		ck_assert(isfinite(section->rows[1].relative_cost.value));
		if (i < 2) {
			check_interval(&section->cost_usd, cost + first, 1);
		} else {
			ck_assert(isnan(section->cost_usd.value));
		}
	}
	/* Of five agents the middle three: 110, 120, 130. */
	ck_assert_double_eq_tol(seeds.sections[0].cost_usd.value, 1.1 * 120, 1e-9);
	weir_agent_seeds_release(&seeds);
}
END_TEST

static char *print(const fixture *f, const char *study, weir_table_format format)
{
	weir_agent_seeds seeds;
	weir_error error = {0};
	ck_assert_ok(weir_agent_seeds_of(&f->study, AGENTS, &seeds, &error), &error);
	char *text = weir_agent_seeds_print(&seeds, strdup(study), format);
	ck_assert_ptr_nonnull(text);
	weir_agent_seeds_release(&seeds);
	return text;
}

START_TEST(printed_behind_the_study)
{
	static fixture f;
	make(&f, SCENARIOS);
	char *text = print(&f, "the study\n", WEIR_TABLE_AS_TEXT);
	ck_assert_int_eq(strncmp(text, "the study\n\nOver the seeds of 5 agents", 37), 0);
	ck_assert_ptr_nonnull(strstr(text, "\nbursty: attainment of the 5 agents 0.9210 ("));
	ck_assert_ptr_nonnull(strstr(text, ", cost 132.0 USD ("));
	free(text);
	text = print(&f, "csv\n", WEIR_TABLE_AS_CSV);
	ck_assert_int_eq(strncmp(text, "csv\n\nscenario,policy,relative_cost_iqm,", 39), 0);
	ck_assert_ptr_nonnull(strstr(text, "\nall,never,-"));
	free(text);
	text = print(&f, "{\"baseline\": \"a\"}", WEIR_TABLE_AS_JSON);
	ck_assert_ptr_nonnull(strstr(text, "\"baseline\""));
	ck_assert_ptr_nonnull(strstr(text, "\"seeds\""));
	free(text);
	make(&f, 1);
	text = print(&f, "", WEIR_TABLE_AS_TEXT);
	ck_assert_ptr_null(strstr(text, "\nall "));
	free(text);
	const weir_agent_seeds none = {0};
	ck_assert_ptr_null(weir_agent_seeds_print(&none, NULL, WEIR_TABLE_AS_TEXT));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("study/agent_seeds");
	TCase *tests = tcase_create("agent_seeds");
	tcase_add_test(tests, scores_are_means_of_replications);
	tcase_add_test(tests, printed_behind_the_study);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
