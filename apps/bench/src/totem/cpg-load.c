/*
 * Loads on a group of a real corosync, `cpg-load`: the same that totem-node puts on a ring of ours.
 *
 * Reads "flood BYTES SECONDS" and "ping-pong BYTES COUNT". Prints
 *   members COUNT     of the group, after each change
 *   flood RATE        own messages a second that came back
 *   ping-pong MEDIAN  from the call to the own delivery, in microseconds
 */
#include <corosync/cpg.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static cpg_handle_t handle;
static uint32_t me;
static unsigned long own;

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void on_message(cpg_handle_t h, const struct cpg_name *group, uint32_t node, uint32_t pid, void *data,
                       size_t length)
{
	if (pid == me)
		own++;
}

static void on_members(cpg_handle_t h, const struct cpg_name *group, const struct cpg_address *members, size_t count,
                       const struct cpg_address *left, size_t left_count, const struct cpg_address *joined,
                       size_t joined_count)
{
	printf("members %zu\n", count);
}

static void dispatch(int wait_ms)
{
	struct pollfd polled = {.events = POLLIN};
	cpg_fd_get(handle, &polled.fd);
	if ((wait_ms == 0 || poll(&polled, 1, wait_ms) > 0) && cpg_dispatch(handle, CS_DISPATCH_ALL) != CS_OK)
		exit(3);
}

static int sent(void *data, size_t bytes)
{
	struct iovec vector = {data, bytes};
	cs_error_t result = cpg_mcast_joined(handle, CPG_TYPE_AGREED, &vector, 1);
	if (result != CS_OK && result != CS_ERR_TRY_AGAIN)
		exit(3);
	return result == CS_OK;
}

static void flood(void *data, size_t bytes, double seconds)
{
	unsigned long before = own, total = 0, counted;
	double start = now_us(), end = start + seconds * 1e6;
	while (now_us() < end) {
		if (sent(data, bytes)) {
			total++;
			dispatch(0);
		} else {
			dispatch(2);
		}
	}
	counted = own - before;
	printf("flood %.0f\n", counted / ((now_us() - start) / 1e6));
	while (own - before < total)
		dispatch(100);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void ping_pong(void *data, size_t bytes, long count)
{
	double *latencies = calloc(count, sizeof *latencies);
	for (long i = 0; i < count; i++) {
		unsigned long before = own;
		double start = now_us();
		while (!sent(data, bytes))
			dispatch(1);
		while (own == before)
			dispatch(1000);
		latencies[i] = now_us() - start;
	}
	qsort(latencies, count, sizeof *latencies, compare);
	printf("ping-pong %.1f\n", latencies[count / 2]);
	free(latencies);
}

int main(void)
{
	cpg_model_v1_data_t model = {.model = CPG_MODEL_V1, .cpg_deliver_fn = on_message, .cpg_confchg_fn = on_members};
	struct cpg_name group = {.length = 5, .value = "bench"};
	cs_error_t result;
	int attempts = 0;

	me = getpid();
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((result = cpg_model_initialize(&handle, CPG_MODEL_V1, (cpg_model_data_t *)&model, NULL)) != CS_OK) {
		if (++attempts == 1000)
			return 1;
		usleep(10000);
	}
	while ((result = cpg_join(handle, &group)) == CS_ERR_TRY_AGAIN)
		usleep(10000);
	if (result != CS_OK)
		return 1;

	struct pollfd polled[2] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};
	cpg_fd_get(handle, &polled[1].fd);
	char line[256];
	while (poll(polled, 2, -1) > 0) {
		if (polled[1].revents && cpg_dispatch(handle, CS_DISPATCH_ALL) != CS_OK)
			return 3;
		if (!polled[0].revents)
			continue;
		ssize_t got = read(0, line, sizeof line - 1);
		if (got <= 0)
			return 0;
		line[got] = 0;
		char what[32];
		size_t bytes;
		double amount;
		if (sscanf(line, "%31s %zu %lf", what, &bytes, &amount) != 3)
			return 2;
		void *data = calloc(1, bytes);
		if (strcmp(what, "flood") == 0)
			flood(data, bytes, amount);
		else
			ping_pong(data, bytes, amount);
		free(data);
	}
	return 0;
}
