/*
 * A process in a group on a real corosync: `cpg-client GROUP`.
 *
 * Reads "TEXT SIZE" lines and sends SIZE bytes of TEXT, repeated. Prints
 *   R NODE.SEQ MEMBER...            the ring, in decimal
 *   C NODE/PID...                   the members of the group, after each change
 *   M NODE/PID LENGTH HASH          a message; HASH is FNV-1a of 32 bits, in hexadecimal
 * and ends when stdin does, or corosync.
 */
#include <corosync/cpg.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_message(cpg_handle_t handle, const struct cpg_name *group, uint32_t node, uint32_t pid, void *data,
                       size_t length)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ ((unsigned char *)data)[i]) * 16777619u;
	printf("M %u/%u %zu %08x\n", node, pid, length, hash);
}

static void on_members(cpg_handle_t handle, const struct cpg_name *group, const struct cpg_address *members,
                       size_t count, const struct cpg_address *left, size_t left_count,
                       const struct cpg_address *joined, size_t joined_count)
{
	printf("C");
	for (size_t i = 0; i < count; i++)
		printf(" %u/%u", members[i].nodeid, members[i].pid);
	printf("\n");
}

static void on_ring(cpg_handle_t handle, struct cpg_ring_id ring, uint32_t count, const uint32_t *members)
{
	printf("R %u.%llu", ring.nodeid, (unsigned long long)ring.seq);
	for (uint32_t i = 0; i < count; i++)
		printf(" %u", members[i]);
	printf("\n");
}

/* A node that synchronises, or has no room, says try again; 30 s are enough for either. */
static int retried(cs_error_t result, int *attempts)
{
	if (result != CS_ERR_TRY_AGAIN && result != CS_ERR_LIBRARY)
		return 0;
	usleep(10000);
	return ++*attempts < 3000;
}

static int send_message(cpg_handle_t handle, const char *text, size_t size)
{
	char *data = malloc(size);
	for (size_t i = 0; i < size; i++)
		data[i] = text[i % strlen(text)];
	struct iovec vector = {data, size};
	cs_error_t result;
	int attempts = 0;
	do {
		result = cpg_mcast_joined(handle, CPG_TYPE_AGREED, &vector, 1);
		if (result == CS_ERR_TRY_AGAIN)
			cpg_dispatch(handle, CS_DISPATCH_ALL);
	} while (retried(result, &attempts));
	free(data);
	return result == CS_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
	cpg_handle_t handle;
	cpg_model_v1_data_t model = {.model = CPG_MODEL_V1,
	                             .cpg_deliver_fn = on_message,
	                             .cpg_confchg_fn = on_members,
	                             .cpg_totem_confchg_fn = on_ring,
	                             .flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF};
	struct cpg_name group;
	cs_error_t result;
	int fd, attempts = 0;

	if (argc != 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	group.length = strlen(argv[1]);
	memcpy(group.value, argv[1], group.length);
	do
		result = cpg_model_initialize(&handle, CPG_MODEL_V1, (cpg_model_data_t *)&model, NULL);
	while (retried(result, &attempts));
	do
		result = result == CS_OK || result == CS_ERR_TRY_AGAIN ? cpg_join(handle, &group) : result;
	while (retried(result, &attempts));
	if (result != CS_OK || cpg_fd_get(handle, &fd) != CS_OK) {
		fprintf(stderr, "cannot join: error %d\n", result);
		return 1;
	}
	struct pollfd polled[2] = {{.fd = 0, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	char pending[8192];
	size_t filled = 0;
	for (;;) {
		if (poll(polled, 2, -1) < 0)
			return 1;
		if (polled[1].revents && cpg_dispatch(handle, CS_DISPATCH_ALL) != CS_OK)
			return 3;
		if (!polled[0].revents)
			continue;
		ssize_t got = read(0, pending + filled, sizeof pending - 1 - filled);
		if (got <= 0)
			break;
		filled += got;
		pending[filled] = 0;
		char *line = pending, *end;
		while ((end = strchr(line, '\n')) != NULL) {
			char text[256];
			size_t size;
			if (sscanf(line, "%255s %zu", text, &size) == 2 && send_message(handle, text, size) != 0)
				return 4;
			line = end + 1;
		}
		filled -= line - pending;
		memmove(pending, line, filled);
	}
	cpg_finalize(handle);
	return 0;
}
