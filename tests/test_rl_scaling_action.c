/* Decisions from actions, by hand. */
#include <math.h>
#include <string.h>

#include "rl/scaling_action.h"
#include "support/test_support.h"

static weir_scaling_task task;
static weir_action_set set;
static weir_action_frame frame;
static weir_decision decision;

static void setup(void)
{
	task = (weir_scaling_task){.action = {.dead_zone = 0.3, .step = 5, .migrate_step = 3}};
	weir_action_set_create(&task, &set);
	frame =
	    (weir_action_frame){.size = {20, 10, 0}, .total = 32, .min_per_pool = 1, .max_total = 100};
}

static void decode(float a, float b, float c)
{
	const float action[WEIR_SCALING_DIMENSIONS] = {a, b, c};
	weir_action_set_create(&task, &set);
	weir_action_decode(&task, &set, &frame, action, &decision);
}

/* What is asked of a pool; 0: nothing. */
static int64_t asked(weir_tag tag)
{
	int64_t amount = 0;
	for (size_t i = 0; i < decision.count; i++) {
		ck_assert_int_eq(decision.changes[i].type, WEIR_ANY_TYPE);
		if (decision.changes[i].tag == tag) {
			ck_assert_int_eq(amount, 0);
			ck_assert_int_eq(decision.changes[i].absolute, task.action.kind >= WEIR_ACTION_DEMAND);
			amount = decision.changes[i].amount;
		}
	}
	return amount;
}

START_TEST(continuous)
{
	static const struct {
		float a;
		int64_t delta;
	} cases[] = {
	    {0, 0},        {0.3F, 0},
	    {-0.3F, 0},    {0.36F, 0}, /* 0.43 */
	    {0.38F, 1},                /* 0.57 */
	    {-0.38F, -1},  {0.651F, 3} /* 2.51 */,
	    {-0.651F, -3}, {0.64F, 2} /* 2.43 */,
	    {1, 5},        {-1, -5},
	    {0.94F, 5}, /* 4.57 */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		decode(cases[i].a, -cases[i].a, 0);
		ck_assert_int_eq(asked(WEIR_TAG_PROMPT), cases[i].delta);
		ck_assert_int_eq(asked(WEIR_TAG_TOKEN), -cases[i].delta);
		ck_assert_int_eq(decision.migrate, 0);
	}
	decode(0, 0, 0);
	ck_assert_uint_eq(decision.count, 0);
}
END_TEST

/* Half away from zero, exactly: 0.5 of a step of 5 without a dead zone is 2.5. */
START_TEST(half_and_no_dead_zone)
{
	task.action.dead_zone = 0;
	decode(0.5F, -0.5F, 0.5F);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 3);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), -3);
	ck_assert_int_eq(decision.migrate, 2); /* 1.5 */
	decode(0.125F, 0.0625F, -0.125F);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 1); /* 0.625 */
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), 0);  /* 0.3125 */
	ck_assert_int_eq(decision.migrate, 0);
}
END_TEST

/* Above 0: from token to prompt; prompt stands before token among the changes. */
START_TEST(migration_and_order)
{
	decode(1, 1, 1);
	ck_assert_int_eq(decision.migrate, 3);
	ck_assert_uint_eq(decision.count, 2);
	ck_assert_int_eq(decision.changes[0].tag, WEIR_TAG_PROMPT);
	ck_assert_int_eq(decision.changes[1].tag, WEIR_TAG_TOKEN);
	decode(0, 0, -0.6F); /* 0.43 * 3 = 1.29 */
	ck_assert_int_eq(decision.migrate, -1);
	task.action.migrate_step = 0;
	decode(1, 1, 1);
	ck_assert_uint_eq(set.count, 2);
	ck_assert_int_eq(decision.migrate, 0);
}
END_TEST

START_TEST(adaptive)
{
	task.action.adaptive = true;
	task.action.step = 0;
	task.action.share = 0.25;
	decode(1, -1, 1);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 5);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), -3); /* 2.5 */
	ck_assert_int_eq(decision.migrate, 3);       /* stays in instances */
	frame.size[WEIR_TAG_TOKEN] = 2;
	decode(0, -1, 0);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), -1); /* at least one */
}
END_TEST

START_TEST(modes)
{
	task.mode = WEIR_SCALING_PROMPT;
	decode(1, 0, 0);
	ck_assert_uint_eq(set.count, 1);
	ck_assert_str_eq(set.dimensions[0].name, "prompt");
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 5);
	ck_assert_uint_eq(decision.count, 1);
	task.mode = WEIR_SCALING_TOKEN;
	decode(-1, 0, 0);
	ck_assert_uint_eq(set.count, 1);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), -5);
	ck_assert_uint_eq(decision.count, 1);
}
END_TEST

/* The prompt dimension acts on the one pool, the others on nothing. */
START_TEST(single_pool)
{
	frame.single = true;
	decode(1, -1, 1);
	ck_assert_int_eq(asked(WEIR_TAG_MIXED), 5);
	ck_assert_uint_eq(decision.count, 1);
	ck_assert_int_eq(decision.migrate, 0);
}
END_TEST

START_TEST(discrete)
{
	task.action.kind = WEIR_ACTION_DISCRETE;
	decode(0, 10, 6);
	ck_assert_int_eq(set.space.kind, WEIR_SPACE_MULTI_DISCRETE);
	ck_assert_uint_eq(set.dimensions[0].choices, 11);
	ck_assert_uint_eq(set.dimensions[2].choices, 7);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), -5);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), 5);
	ck_assert_int_eq(decision.migrate, 3);
	decode(5, 6, 2);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 0);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), 1);
	ck_assert_int_eq(decision.migrate, -1);
}
END_TEST

/* Which changes from -5 to 5 (migrations from -3 to 3) are allowed, as a text. */
static const char *masked(void)
{
	static char text[32];
	uint8_t mask[29];
	weir_action_set_create(&task, &set);
	memset(mask, 7, sizeof mask);
	weir_action_mask(&set, &frame, mask);
	size_t length = 0;
	for (size_t i = 0; i < weir_space_choices(&set.space); i++) {
		ck_assert_uint_le(mask[i], 1);
		if (i == 11 || i == 22) {
			text[length++] = ' ';
		}
		text[length++] = (char)('0' + mask[i]);
	}
	text[length] = '\0';
	return text;
}

START_TEST(masks)
{
	task.action.kind = WEIR_ACTION_DISCRETE;
	ck_assert_str_eq(masked(), "11111111111 11111111111 1111111");
	/* Two above the minimum of 1; room for 3 more. */
	frame.size[WEIR_TAG_TOKEN] = 3;
	frame.total = 97;
	ck_assert_str_eq(masked(), "11111111100 00011111100 1111110");
	/* Draining ones are taken back without more room. */
	frame.draining[WEIR_TAG_PROMPT] = 1;
	ck_assert_str_eq(masked(), "11111111110 00011111100 1111110");
	frame.size[WEIR_TAG_PROMPT] = 1;
	frame.draining[WEIR_TAG_PROMPT] = 0;
	frame.total = 100;
	ck_assert_str_eq(masked(), "00000100000 00011100000 0001110");
	frame = (weir_action_frame){
	    .single = true, .size = {0, 0, 2}, .total = 2, .min_per_pool = 1, .max_total = 4};
	ck_assert_str_eq(masked(), "00001111000 00000100000 0001000");
}
END_TEST

START_TEST(no_mask_of_numbers)
{
	uint8_t untouched = 7;
	weir_action_mask(&set, &frame, &untouched);
	ck_assert_uint_eq(untouched, 7);
}
END_TEST

/* ceil(demand * range^a), within the limits; nothing asked for when the pool has it. */
START_TEST(demand)
{
	task.action.kind = WEIR_ACTION_DEMAND;
	task.action.range = 2;
	frame.demand[WEIR_TAG_PROMPT] = 12.3;
	frame.demand[WEIR_TAG_TOKEN] = 10;
	decode(0, 0, 0);
	ck_assert_uint_eq(set.count, 2);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 13);
	ck_assert_uint_eq(decision.count, 1); /* 10 token instances there are */
	decode(1, -1, 0);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 25);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), 5);
	decode(0.5F, 0.5F, 0);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 18); /* 17.4 */
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), 15);  /* 14.1 */
	frame.demand[WEIR_TAG_PROMPT] = 1e9;
	frame.demand[WEIR_TAG_TOKEN] = 0;
	decode(1, 1, 0);
	ck_assert_int_eq(asked(WEIR_TAG_PROMPT), 99); /* one is left for the other pool */
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), 1);
	/* 4 as a sum of tenths is a little more, and still 4. */
	frame.demand[WEIR_TAG_TOKEN] = 4 + 1e-12;
	decode(1, 0, 0);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), 4);
	frame = (weir_action_frame){
	    .single = true, .size = {0, 0, 2}, .min_per_pool = 1, .max_total = 8, .demand = {0, 0, 9}};
	decode(0, 1, 0);
	ck_assert_int_eq(asked(WEIR_TAG_MIXED), 8);
	ck_assert_uint_eq(decision.count, 1);
}
END_TEST

/* Of 20 prompt instances a tenth is 2: 22 and 18 are left, 23 and 17 are not. */
START_TEST(tolerance)
{
	task.action.kind = _i == 0 ? WEIR_ACTION_RESIDUAL : WEIR_ACTION_DEMAND;
	task.action.range = 2;
	task.action.tolerance = 0.1;
	frame.size[WEIR_TAG_PROMPT] = 20;
	frame.size[WEIR_TAG_TOKEN] = 9;
	frame.demand[WEIR_TAG_TOKEN] = 9;
	for (int wanted = 17; wanted <= 23; wanted++) {
		frame.demand[WEIR_TAG_PROMPT] = wanted;
		decode(0, 0, 0);
		bool left = wanted >= 18 && wanted <= 22;
		ck_assert_uint_eq(decision.count, left ? 0 : 1);
		if (!left) {
			ck_assert_int_eq(asked(WEIR_TAG_PROMPT), wanted);
		}
	}
	/* A tenth of 9 is less than one instance. */
	frame.demand[WEIR_TAG_PROMPT] = 20;
	frame.demand[WEIR_TAG_TOKEN] = 10;
	decode(0, 0, 0);
	ck_assert_int_eq(asked(WEIR_TAG_TOKEN), 10);
}
END_TEST

START_TEST(normal)
{
	double numbers[WEIR_SCALING_DIMENSIONS];
	weir_action_normal(&set, (const float[]){0.5F, -1, 0.25F}, numbers);
	ck_assert_double_eq(numbers[0], 0.5);
	ck_assert_double_eq(numbers[1], -1);
	ck_assert_double_eq(numbers[2], 0.25);
	task.mode = WEIR_SCALING_TOKEN;
	weir_action_set_create(&task, &set);
	weir_action_normal(&set, (const float[]){0.5F}, numbers);
	ck_assert_double_eq(numbers[0], 0);
	ck_assert_double_eq(numbers[1], 0.5);
	ck_assert_double_eq(numbers[2], 0);
	task.mode = WEIR_SCALING_JOINT;
	task.action.kind = WEIR_ACTION_DISCRETE;
	weir_action_set_create(&task, &set);
	weir_action_normal(&set, (const float[]){0, 5, 5}, numbers);
	ck_assert_double_eq(numbers[0], -1);
	ck_assert_double_eq(numbers[1], 0);
	ck_assert_double_eq_tol(numbers[2], 2.0 / 3, 1e-15);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_action");
	TCase *cases = tcase_create("action");
	tcase_add_checked_fixture(cases, setup, NULL);
	tcase_add_test(cases, continuous);
	tcase_add_test(cases, half_and_no_dead_zone);
	tcase_add_test(cases, migration_and_order);
	tcase_add_test(cases, adaptive);
	tcase_add_test(cases, modes);
	tcase_add_test(cases, single_pool);
	tcase_add_test(cases, discrete);
	tcase_add_test(cases, masks);
	tcase_add_test(cases, no_mask_of_numbers);
	tcase_add_test(cases, demand);
	tcase_add_loop_test(cases, tolerance, 0, 2);
	tcase_add_test(cases, normal);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
