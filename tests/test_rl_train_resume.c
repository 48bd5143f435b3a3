/* Trainings that are stopped anywhere and go on: they end with the same bytes as undisturbed ones.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/archive.h"
#include "rl/checkpoint.h"
#include "rl/train.h"
#include "support/test_support.h"

static const weir_train_config *load(const char *text, const char *set)
{
	const weir_document_options options = {
	    .path = "train.json", .text = text, .sets = &set, .set_count = set != NULL ? 1 : 0};
	weir_error error = {0};
	const weir_train_config *config;
	ck_assert_ok(weir_train_config_load(&options, &config, &error), &error);
	return config;
}

/* Stops, or dies, after so many steps. */
typedef struct stop {
	int64_t after;
	bool dies;
} stop;

static bool stop_there(void *context, const weir_train_progress *progress)
{
	const stop *s = context;
	if (progress->steps >= s->after && s->dies) {
		raise(SIGKILL);
	}
	return progress->steps < s->after;
}

static weir_status train(const char *text, const char *set, const char *directory, bool resume,
                         const stop *s, weir_error *error)
{
	const weir_train_config *config = load(text, set);
	weir_train_report report;
	const weir_train_options options = {.directory = directory,
	                                    .resume = resume,
	                                    .progress = s != NULL ? stop_there : NULL,
	                                    .context = (void *)s};
	weir_status status = weir_train(config, &options, &report, error);
	weir_train_config_destroy(config);
	return status;
}

enum { PATH_SIZE = 512 };

/* A directory that no other test has used; `path` is returned. */
static char *new_directory(char path[PATH_SIZE])
{
	static int made;
	char name[64];
	snprintf(name, sizeof name, "%ld-%d", (long)getpid(), made++);
	snprintf(path, PATH_SIZE, "%s", test_path(name));
	return path;
}

/* The name of a file in a directory of the test's. */
static const char *in(const char *directory, const char *name)
{
	static char path[1024];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void assert_same_files(const char *one, const char *two)
{
	static const char *const files[] = {
	    "final.h5",    "best.h5",      "checkpoint.h5",  "config.json",
	    "report.json", "progress.csv", "progress.jsonl", "events.out.tfevents.0.weir"};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		size_t first_size, second_size;
		char *first = test_read_file(in(one, files[i]), &first_size);
		char *second = test_read_file(in(two, files[i]), &second_size);
		ck_assert_msg(first_size == second_size && memcmp(first, second, first_size) == 0,
		              "%s differs", files[i]);
		free(first);
		free(second);
	}
}

/* Of each, 2000 steps in 20 rollouts. Episodes of the tutorial are long and short, those of the
 * probe have masks; normalisation, shuffling, multipliers and early ends have states of their own.
 */
static const char *const trainings[] = {
    "{\"environment\": {\"kind\": \"tutorial\", \"tutorial\": {\"stumble\": 0.3}},"
    "\"environments\": 4, \"total_steps\": 2000, \"network\": {\"hidden\": [8]}, \"normalise\": {},"
    "\"ppo\": {\"n_steps\": 25, \"batch_size\": 10}, \"checkpoint\": {\"interval\": 300},"
    "\"evaluation\": {\"interval\": 500, \"episodes\": 3, \"deterministic\": false}}",

    "{\"environment\": {\"kind\": \"probe_mask\"}, \"environments\": 2, \"total_steps\": 2000,"
    "\"network\": {\"hidden\": [8, 8], \"shared_trunk\": true},"
    "\"ppo\": {\"n_steps\": 50, \"batch_size\": 30, \"learning_rate_schedule\": \"linear\"},"
    "\"checkpoint\": {\"interval\": 300}, \"evaluation\": {\"interval\": 300, \"patience\": 4}}",

    "{\"environment\": {\"kind\": \"probe_constrained\", \"probe_constrained\": "
    "{\"flawed_one_in\": 5}},"
    "\"environments\": 1, \"total_steps\": 2000, \"network\": {\"hidden\": [8]},"
    "\"ppo\": {\"n_steps\": 100}, \"checkpoint\": {\"interval\": 300}, \"strict\": false,"
    "\"control\": \"shuffled_rewards\", \"evaluation\": {\"interval\": 700},"
    "\"adapt\": [{\"coefficient\": \"lambda\", \"term\": \"cost\", \"target\": 0.3, \"rate\": 0.1,"
    "\"maximum\": 10}]}",

    "{\"environment\": {\"kind\": \"pendulum\"}, \"environments\": 3, \"total_steps\": 1800,"
    "\"ppo\": {\"n_steps\": 30}, \"checkpoint\": {\"interval\": 500},"
    "\"normalise\": {\"rewards\": false}, \"evaluation\": {\"interval\": 900, \"episodes\": 1}}",
};
enum { TRAININGS = sizeof trainings / sizeof trainings[0] };

/* --- stopped and killed -------------------------------------------------------------------------
 */

START_TEST(interrupted_anywhere_it_ends_the_same)
{
	weir_error error = {0};
	char whole[PATH_SIZE], broken[PATH_SIZE];
	new_directory(whole);
	new_directory(broken);
	ck_assert_ok(train(trainings[_i], NULL, whole, false, NULL, &error), &error);
	int stops = 0;
	weir_status status;
	do {
		const stop s = {.after = 1 + 333 * (int64_t)stops, .dies = false};
		status = train(trainings[_i], NULL, broken, true, &s, &error);
		if (status != WEIR_OK) {
			ck_assert_msg(status == WEIR_ERROR_INTERRUPTED, "%s", error.message);
			ck_assert_ptr_nonnull(strstr(error.message, "interrupted after"));
			stops++;
		}
	} while (status != WEIR_OK);
	ck_assert_int_ge(stops, 3);
	assert_same_files(whole, broken);
}
END_TEST

/* Trains in a process of its own, which is killed. */
static void train_and_die(const char *text, const char *directory, int64_t after)
{
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		weir_error error = {0};
		const stop s = {.after = after, .dies = true};
		train(text, NULL, directory, true, &s, &error);
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(killed_anywhere_it_ends_the_same)
{
	weir_error error = {0};
	char whole[PATH_SIZE], broken[PATH_SIZE];
	new_directory(whole);
	new_directory(broken);
	ck_assert_ok(train(trainings[_i], NULL, whole, false, NULL, &error), &error);
	/* In the first rollout, in the middle of others, in the last but one. */
	static const int64_t moments[] = {1, 7, 333, 520, 521, 1111, 1640};
	for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
		train_and_die(trainings[_i], broken, moments[i]);
	}
	ck_assert_ok(train(trainings[_i], NULL, broken, true, NULL, &error), &error);
	assert_same_files(whole, broken);
	/* What has ended is not done again. */
	const stop at_once = {.after = 0, .dies = true};
	ck_assert_ok(train(trainings[_i], NULL, broken, true, &at_once, &error), &error);
	assert_same_files(whole, broken);
}
END_TEST

/* --- refused ------------------------------------------------------------------------------------
 */

/* A stopped training in a new directory; its checkpoint's bytes. */
static char *make_stopped(const char **directory, size_t *size)
{
	static char path[PATH_SIZE];
	weir_error error = {0};
	const stop s = {.after = 500, .dies = false};
	*directory = new_directory(path);
	ck_assert_int_eq(train(trainings[0], NULL, path, true, &s, &error), WEIR_ERROR_INTERRUPTED);
	return test_read_file(in(path, "checkpoint.h5"), size);
}

static void assert_unchanged(const char *path, const char *before, size_t before_size)
{
	size_t size;
	char *now = test_read_file(path, &size);
	ck_assert(size == before_size && memcmp(now, before, size) == 0);
	free(now);
}

START_TEST(what_is_there_is_not_overwritten_unasked)
{
	const char *directory;
	size_t size;
	char *before = make_stopped(&directory, &size);
	weir_error error = {0};
	ck_assert_int_eq(train(trainings[0], NULL, directory, false, NULL, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, in(directory, "checkpoint.h5"));
	ck_assert_ptr_nonnull(strstr(error.message, "resume it, overwrite it"));
	assert_unchanged(in(directory, "checkpoint.h5"), before, size);
	free(before);
}
END_TEST

static const struct {
	const char *set, *message;
} others[] = {
    {"seed=9", "seed was 1 there and is 9 in train.json"},
    {"environment.tutorial.length=9", "environment.tutorial.length was 7 there and is 9"},
    {"environment.kind=cartpole", "environment.kind was \"tutorial\""},
    {"network.hidden=[9]", "network.hidden was [8] there and is [9]"},
};

START_TEST(the_training_of_another_config_is_not_resumed)
{
	const char *directory;
	size_t size;
	char *before = make_stopped(&directory, &size);
	weir_error error = {0};
	ck_assert_int_eq(train(trainings[0], others[_i].set, directory, true, NULL, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, in(directory, "checkpoint.h5"));
	ck_assert_msg(strstr(error.message, others[_i].message) != NULL, "%s", error.message);
	assert_unchanged(in(directory, "checkpoint.h5"), before, size);
	free(before);
}
END_TEST

START_TEST(a_damaged_checkpoint_is_refused)
{
	const char *directory;
	size_t size;
	char *before = make_stopped(&directory, &size);
	const char *path = in(directory, "checkpoint.h5");
	for (size_t kept = 0; kept < size; kept += size / 7) {
		FILE *file = fopen(path, "wb");
		ck_assert_uint_eq(fwrite(before, 1, kept, file), kept);
		ck_assert_int_eq(fclose(file), 0);
		weir_error error = {0};
		weir_status status = train(trainings[0], NULL, directory, true, NULL, &error);
		ck_assert(status == WEIR_ERROR_INPUT || status == WEIR_ERROR_IO);
		ck_assert_str_eq(error.where, in(directory, "checkpoint.h5"));
		assert_unchanged(path, before, kept);
	}
	free(before);
}
END_TEST

/* A checkpoint like that of trainings[0] before its first step, but for what `spoil` does to it. */
static weir_status load_spoiled(void (*spoil)(weir_train_state *state), weir_error *error)
{
	const weir_train_config *config = load(trainings[0], NULL);
	const char *path = test_path("spoiled.h5");
	weir_train_state state, again;
	ck_assert_ok(weir_train_state_create(config, &state, error), error);
	ck_assert_ok(weir_vector_reset(state.vector, &state.buffers, error), error);
	weir_learner_begin(state.learner, state.buffers.observations, NULL);
	spoil(&state);
	ck_assert_ok(weir_checkpoint_save(&state, path, error), error);
	ck_assert_ok(weir_train_state_create(config, &again, error), error);
	weir_status status = weir_checkpoint_load(&again, path, error);
	weir_train_state_release(&state);
	weir_train_state_release(&again);
	weir_train_config_destroy(config);
	return status;
}

static void spoil_nothing(weir_train_state *state)
{
	(void)state;
}

static void spoil_parameter(weir_train_state *state)
{
	weir_actor_critic_parameters(state->agent->network)[3] = NAN;
}

static void spoil_statistics(weir_train_state *state)
{
	state->agent->normaliser->mean[0] = INFINITY;
}

static void spoil_episodes(weir_train_state *state)
{
	state->episodes.rewards[1] = NAN;
}

static void spoil_end(weir_train_state *state)
{
	state->end = 17;
}

static void (*const spoilers[])(weir_train_state *) = {spoil_parameter, spoil_statistics,
                                                       spoil_episodes, spoil_end};

START_TEST(numbers_that_make_no_sense_are_refused)
{
	weir_error error = {0};
	ck_assert_int_eq(load_spoiled(spoilers[_i], &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strstr(error.where, "spoiled.h5") != NULL, "%s: %s", error.where, error.message);
	ck_assert_ok(load_spoiled(spoil_nothing, &error), &error);
}
END_TEST

START_TEST(another_kind_of_file_or_version_is_refused)
{
	weir_error error = {0};
	char directory[PATH_SIZE];
	new_directory(directory);
	ck_assert_ok(train(trainings[0], NULL, directory, false, NULL, &error), &error);
	/* An agent in the place of the checkpoint. */
	char checkpoint[1024];
	snprintf(checkpoint, sizeof checkpoint, "%s", in(directory, "checkpoint.h5"));
	ck_assert_int_eq(rename(in(directory, "final.h5"), checkpoint), 0);
	ck_assert_int_eq(train(trainings[0], NULL, directory, true, NULL, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, checkpoint);
	ck_assert_msg(strstr(error.message, "weir agent") != NULL, "%s", error.message);
	/* What a later version wrote. */
	weir_archive_writer *writer;
	ck_assert_ok(weir_archive_begin(checkpoint, "weir checkpoint", 99, &writer, &error), &error);
	ck_assert_ok(weir_archive_commit(writer, &error), &error);
	ck_assert_int_eq(train(trainings[0], NULL, directory, true, NULL, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, checkpoint);
	ck_assert_msg(strstr(error.message, "99") != NULL, "%s", error.message);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rl_train_resume");
	TCase *tests = tcase_create("train_resume");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, interrupted_anywhere_it_ends_the_same, 0, TRAININGS);
	tcase_add_loop_test(tests, killed_anywhere_it_ends_the_same, 0, TRAININGS);
	tcase_add_test(tests, what_is_there_is_not_overwritten_unasked);
	tcase_add_loop_test(tests, the_training_of_another_config_is_not_resumed, 0,
	                    (int)(sizeof others / sizeof others[0]));
	tcase_add_test(tests, a_damaged_checkpoint_is_refused);
	tcase_add_loop_test(tests, numbers_that_make_no_sense_are_refused, 0,
	                    (int)(sizeof spoilers / sizeof spoilers[0]));
	tcase_add_test(tests, another_kind_of_file_or_version_is_refused);
	suite_add_tcase(s, tests);
	return s;
}

int main(void)
{
	return test_main(suite());
}
