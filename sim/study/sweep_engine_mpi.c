/*
 * Runs of a sweep on the ranks of an MPI job: rank 0 manages, the others work (built with
 * WEIR_MPI).
 *
 * Every rank reads the sweep file and makes the points; rank 0 alone knows the store, and tells the
 * others which points are left. Tasks and reports are messages of bytes: all ranks run the same
 * program on machines of one kind.
 */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "study/sweep_engine.h"

enum { TAG_POINTS = 1, TAG_TASK, TAG_END, TAG_REPORT };

/* Seconds between two looks for a report. */
static const double look_interval = 0.0005;

typedef struct rank {
	bool busy;
	bool abandoned; /* what it reports next is of no use */
	uint64_t run;
} rank;

typedef struct farm {
	size_t count; /* ranks that work: numbers 1 to count */
	rank *ranks;
} farm;

static weir_status fail(weir_error *error, const char *what)
{
	return weir_error_set(error, WEIR_ERROR_IO, "MPI", "cannot %s", what);
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

static void do_task(const weir_sweep_plan *plan)
{
	weir_sweep_task task;
	weir_sweep_report report;
	MPI_Recv(&task, sizeof task, MPI_BYTE, 0, TAG_TASK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	weir_sweep_task_run(plan, &task, &report);
	MPI_Send(&report, sizeof report, MPI_BYTE, 0, TAG_REPORT, MPI_COMM_WORLD);
}

static weir_status serve(const weir_sweep_file *file, weir_error *error)
{
	weir_sweep_points points = {0};
	weir_status status = weir_sweep_points_make(file, 0, &points, error);
	const weir_sweep_plan plan = {.file = file, .points = &points};
	while (status == WEIR_OK) {
		MPI_Status message;
		MPI_Probe(0, MPI_ANY_TAG, MPI_COMM_WORLD, &message);
		if (message.MPI_TAG == TAG_END) {
			MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_END, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
			break;
		}
		if (message.MPI_TAG == TAG_POINTS) {
			status = receive_points(&points, &message, error);
		} else {
			do_task(&plan);
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
	if (i == engine->count || MPI_Send(task, sizeof *task, MPI_BYTE, (int)i + 1, TAG_TASK,
	                                   MPI_COMM_WORLD) != MPI_SUCCESS) {
		return fail(error, "give a run to a rank");
	}
	engine->ranks[i] = (rank){.busy = true, .run = task->run};
	return WEIR_OK;
}

static double monotonic_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static weir_status mpi_hear(void *state, double seconds, weir_sweep_report *report, bool *got,
                            weir_error *error)
{
	farm *engine = state;
	double until = monotonic_seconds() + seconds;
	*got = false;
	for (;;) {
		int there = 0;
		MPI_Status status;
		if (MPI_Iprobe(MPI_ANY_SOURCE, TAG_REPORT, MPI_COMM_WORLD, &there, &status) !=
		    MPI_SUCCESS) {
			return fail(error, "hear of the ranks");
		}
		if (there != 0) {
			rank *from = &engine->ranks[status.MPI_SOURCE - 1];
			MPI_Recv(report, sizeof *report, MPI_BYTE, status.MPI_SOURCE, TAG_REPORT,
			         MPI_COMM_WORLD, MPI_STATUS_IGNORE);
			*got = !from->abandoned;
			from->busy = false;
			return WEIR_OK;
		}
		if (monotonic_seconds() >= until) {
			return WEIR_OK;
		}
		const struct timespec pause = {.tv_nsec = (long)(look_interval * 1e9)};
		nanosleep(&pause, NULL);
	}
}

static rank *rank_at(farm *engine, uint64_t run)
{
	for (size_t i = 0; i < engine->count; i++) {
		if (engine->ranks[i].busy && !engine->ranks[i].abandoned && engine->ranks[i].run == run) {
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
			MPI_Recv(&report, sizeof report, MPI_BYTE, (int)i + 1, TAG_REPORT, MPI_COMM_WORLD,
			         MPI_STATUS_IGNORE);
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
