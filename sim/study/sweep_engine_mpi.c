/*
 * Runs of a sweep on the ranks of an MPI job: rank 0 manages, the others work (built with
 * WEIR_MPI).
 *
 * Every rank reads the sweep file and makes the points; rank 0 alone knows the store, and tells the
 * others which points are left. Tasks and reports are messages of bytes: all ranks run the same
 * program on machines of one kind.
 */
#include <math.h>
#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "study/sweep_engine.h"

enum { TAG_POINTS = 1, TAG_TASK, TAG_END, TAG_REPORT };

/* What goes to rank 0 of a report: a rank's stderr is the job's. Without that it is short enough to
 * be sent in one piece (4 KB in Open MPI). */
enum { REPORT_BYTES = offsetof(weir_sweep_report, stderr_text) };

/* MPI's own waiting keeps a processor busy, of which a rank at work may be in need. So one who
 * waits looks and sleeps, longer and longer: a short run is heard of soon, a long one costs
 * nothing. For the same reason nobody waits until a message has left: it has when it is answered.
 */
enum { SHORTEST_SLEEP_NS = 20000, LONGEST_SLEEP_NS = 1000000 };

typedef struct rank {
	bool busy;
	bool abandoned; /* what it reports next is of no use */
	weir_sweep_task task;
	MPI_Request sent; /* the task */
} rank;

typedef struct farm {
	size_t count; /* ranks that work: numbers 1 to count */
	rank *ranks;
} farm;

static weir_status fail(weir_error *error, const char *what)
{
	return weir_error_set(error, WEIR_ERROR_IO, "MPI", "cannot %s", what);
}

static double monotonic_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Waits up to `seconds` for a message. False: MPI does not work. */
static bool wait_for_message(int source, int tag, double seconds, bool *there, MPI_Status *message)
{
	double until = monotonic_seconds() + seconds;
	long sleep = SHORTEST_SLEEP_NS;
	for (;;) {
		int found = 0;
		if (MPI_Iprobe(source, tag, MPI_COMM_WORLD, &found, message) != MPI_SUCCESS) {
			return false;
		}
		*there = found != 0;
		if (*there || monotonic_seconds() >= until) {
			return true;
		}
		const struct timespec pause = {.tv_nsec = sleep};
		nanosleep(&pause, NULL);
		sleep = sleep < LONGEST_SLEEP_NS / 2 ? 2 * sleep : LONGEST_SLEEP_NS;
	}
}

/* ---- in a worker ---- */

/* Leaves of the points those that rank 0 has. */
static weir_status receive_points(weir_sweep_points *points, const MPI_Status *message,
                                  weir_error *error)
{
	int count = 0;
	MPI_Get_count(message, MPI_UINT64_T, &count);
	uint64_t *made = weir_allocate((size_t)count + 1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %d points", count);
	}
	MPI_Recv(made, count, MPI_UINT64_T, 0, TAG_POINTS, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < (size_t)count; i++) {
		if (made[i] < i || made[i] >= points->count) {
			status = fail(error, "agree on the points: the ranks read different files");
		} else {
			points->items[i] = points->items[made[i]];
		}
	}
	points->count = (size_t)count;
	free(made);
	return status;
}

/* *report is to stay until *sent is over. */
static void do_task(const weir_sweep_plan *plan, weir_sweep_report *report, MPI_Request *sent)
{
	weir_sweep_task task;
	MPI_Recv(&task, sizeof task, MPI_BYTE, 0, TAG_TASK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	weir_sweep_task_run(plan, &task, report);
	MPI_Isend(report, REPORT_BYTES, MPI_BYTE, 0, TAG_REPORT, MPI_COMM_WORLD, sent);
}

static weir_status serve(const weir_sweep_file *file, weir_error *error)
{
	weir_sweep_points points = {0};
	weir_status status = weir_sweep_points_make(file, 0, &points, error);
	const weir_sweep_plan plan = {.file = file, .points = &points};
	weir_sweep_report report;
	MPI_Request sent = MPI_REQUEST_NULL;
	while (status == WEIR_OK) {
		MPI_Status message;
		bool there = false;
		if (!wait_for_message(0, MPI_ANY_TAG, (double)INFINITY, &there, &message)) {
			status = fail(error, "hear of rank 0");
			break;
		}
		/* Rank 0 says nothing before it has the report. */
		MPI_Wait(&sent, MPI_STATUS_IGNORE);
		if (message.MPI_TAG == TAG_END) {
			MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_END, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
			break;
		}
		if (message.MPI_TAG == TAG_POINTS) {
			status = receive_points(&points, &message, error);
		} else {
			do_task(&plan, &report, &sent);
		}
	}
	weir_sweep_points_release(&points);
	return status;
}

static weir_status mpi_join(const weir_sweep_file *file, bool *served, weir_error *error)
{
	int number = 0;
	int size = 0;
	if (MPI_Init(NULL, NULL) != MPI_SUCCESS) {
		return fail(error, "begin");
	}
	MPI_Comm_rank(MPI_COMM_WORLD, &number);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	*served = number > 0;
	if (size < 2) {
		MPI_Finalize();
		return weir_error_set(error, WEIR_ERROR_INPUT, "--engine mpi",
		                      "one rank manages and the others work: expected at least two, as of "
		                      "'mpirun -n 3 weir sweep ...'");
	}
	weir_status status = WEIR_OK;
	if (*served) {
		/* A rank that ends before it has said so takes the whole job along. */
		status = serve(file, error);
		if (status == WEIR_OK) {
			MPI_Finalize();
		}
	}
	return status;
}

/* ---- in the manager ---- */

static weir_status send_points(const weir_sweep_points *points, size_t ranks, weir_error *error)
{
	uint64_t *made = weir_allocate(points->count, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu points",
		                      points->count);
	}
	for (size_t i = 0; i < points->count; i++) {
		made[i] = points->items[i].made;
	}
	for (size_t i = 1; i <= ranks; i++) {
		MPI_Send(made, (int)points->count, MPI_UINT64_T, (int)i, TAG_POINTS, MPI_COMM_WORLD);
	}
	free(made);
	return WEIR_OK;
}

static weir_status mpi_open(const weir_sweep_plan *plan, size_t workers, void **state,
                            weir_error *error)
{
	*state = NULL;
	int size = 0;
	(void)workers;
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	farm *made = weir_allocate(1, sizeof *made);
	if (made != NULL) {
		made->count = (size_t)size - 1;
		made->ranks = weir_allocate(made->count, sizeof *made->ranks);
	}
	if (made == NULL || made->ranks == NULL) {
		free(made);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %d ranks", size);
	}
	for (size_t i = 0; i < made->count; i++) {
		made->ranks[i].sent = MPI_REQUEST_NULL;
	}
	weir_status status = send_points(plan->points, made->count, error);
	if (status != WEIR_OK) {
		free(made->ranks);
		free(made);
		return status;
	}
	*state = made;
	return WEIR_OK;
}

static size_t mpi_room(void *state)
{
	const farm *engine = state;
	size_t room = 0;
	for (size_t i = 0; i < engine->count; i++) {
		room += engine->ranks[i].busy ? 0 : 1;
	}
	return room;
}

static weir_status mpi_give(void *state, const weir_sweep_task *task, weir_error *error)
{
	farm *engine = state;
	size_t i = 0;
	while (i < engine->count && engine->ranks[i].busy) {
		i++;
	}
	if (i == engine->count) {
		return fail(error, "give a run to a rank: all are busy");
	}
	rank *chosen = &engine->ranks[i];
	*chosen = (rank){.busy = true, .task = *task, .sent = MPI_REQUEST_NULL};
	if (MPI_Isend(&chosen->task, sizeof chosen->task, MPI_BYTE, (int)i + 1, TAG_TASK,
	              MPI_COMM_WORLD, &chosen->sent) != MPI_SUCCESS) {
		return fail(error, "give a run to a rank");
	}
	return WEIR_OK;
}

static void take_report(farm *engine, int number, weir_sweep_report *report)
{
	rank *from = &engine->ranks[number - 1];
	report->stderr_text[0] = '\0';
	MPI_Recv(report, REPORT_BYTES, MPI_BYTE, number, TAG_REPORT, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	MPI_Wait(&from->sent, MPI_STATUS_IGNORE);
	from->busy = false;
}

static weir_status mpi_hear(void *state, double seconds, weir_sweep_report *report, bool *got,
                            weir_error *error)
{
	farm *engine = state;
	bool there = false;
	MPI_Status message;
	*got = false;
	if (!wait_for_message(MPI_ANY_SOURCE, TAG_REPORT, seconds, &there, &message)) {
		return fail(error, "hear of the ranks");
	}
	if (there) {
		take_report(engine, message.MPI_SOURCE, report);
		*got = !engine->ranks[message.MPI_SOURCE - 1].abandoned;
	}
	return WEIR_OK;
}

static rank *rank_at(farm *engine, uint64_t run)
{
	for (size_t i = 0; i < engine->count; i++) {
		if (engine->ranks[i].busy && !engine->ranks[i].abandoned &&
		    engine->ranks[i].task.run == run) {
			return &engine->ranks[i];
		}
	}
	return NULL;
}

static bool mpi_holds(void *state, uint64_t run)
{
	return rank_at(state, run) != NULL;
}

/* A rank cannot be ended alone: it goes on, and its place is free when it is done. */
static void mpi_abandon(void *state, uint64_t run, weir_sweep_report *report)
{
	rank *found = rank_at(state, run);
	(void)report;
	if (found != NULL) {
		found->abandoned = true;
	}
}

/* What still runs ends first: a rank cannot be ended alone. */
static void mpi_close(void *state)
{
	farm *engine = state;
	for (size_t i = 0; i < engine->count; i++) {
		weir_sweep_report report;
		if (engine->ranks[i].busy) {
			take_report(engine, (int)i + 1, &report);
		}
	}
	free(engine->ranks);
	free(engine);
}

static void mpi_leave(void)
{
	int size = 0;
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	for (int i = 1; i < size; i++) {
		MPI_Send(NULL, 0, MPI_BYTE, i, TAG_END, MPI_COMM_WORLD);
	}
	MPI_Finalize();
}

const weir_sweep_engine weir_sweep_engine_mpi = {
    .name = "mpi",
    .doc = "the ranks of an MPI job; rank 0 manages",
    .join = mpi_join,
    .open = mpi_open,
    .room = mpi_room,
    .give = mpi_give,
    .hear = mpi_hear,
    .holds = mpi_holds,
    .abandon = mpi_abandon,
    .close = mpi_close,
    .leave = mpi_leave,
};
