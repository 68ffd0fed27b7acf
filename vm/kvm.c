/* kvm.c - opens /dev/kvm and asks what it can do. See kvm.h. */
#include "vm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "vm/arch.h"

/* Newer than the oldest headers we build against. */
#ifndef KVM_CAP_DIRTY_LOG_RING_ACQ_REL
#define KVM_CAP_DIRTY_LOG_RING_ACQ_REL 223
#endif

/* What every architecture's KVM must have. */
static const struct {
	const char *name;
	int number;
} capabilities[] = {
	{ "immediate exit", KVM_CAP_IMMEDIATE_EXIT },
	{ "user memory", KVM_CAP_USER_MEMORY },
	{ "synchronous MMU", KVM_CAP_SYNC_MMU },
};

#define CAPABILITY_COUNT (sizeof(capabilities) / sizeof(*capabilities))

_Static_assert(CAPABILITY_COUNT + 1 == KVM_FACTS_MAX, "and the version");

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct kvm_host the_host;
static struct error the_error;
static int the_result;

const char *kvm_device(void)
{
	const char *path = getenv(KVM_DEVICE_VARIABLE);

	return path && *path ? path : "/dev/kvm";
}

int kvm_capability(const struct kvm_host *host, int capability)
{
	int answer = ioctl(host->fd, KVM_CHECK_EXTENSION, capability);

	return answer > 0 ? answer : 0;
}

static int open_error(int code, struct error *err)
{
	const char *path = kvm_device();

	switch (code) {
	case ENOENT:
		return error_set(err, -ENOENT,
				 "%s does not exist: enable virtualization in "
				 "the firmware, load the kvm module, or give "
				 "this container the device",
				 path);
	case EACCES:
	case EPERM:
		return error_set(err, -EACCES,
				 "no permission to open %s: join the group "
				 "that owns it (often `kvm`), or run as root",
				 path);
	default:
		return error_set(err, -code, "opening %s: %s", path,
				 strerror(code));
	}
}

static void ask_dirty_tracking(struct kvm_host *host)
{
	const int caps[] = { KVM_CAP_DIRTY_LOG_RING_ACQ_REL,
			     KVM_CAP_DIRTY_LOG_RING };

	for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++) {
		int bytes = kvm_capability(host, caps[i]);

		if (bytes) {
			host->has_dirty_ring = true;
			host->dirty_ring_cap = caps[i];
			host->dirty_ring_bytes = (size_t)bytes;
			break;
		}
	}
	host->manual_protect =
		(unsigned)kvm_capability(host,
					 KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
}

static int open_host(struct kvm_host *host, struct error *err)
{
	cleanup_close int fd = open(kvm_device(), O_RDWR | O_CLOEXEC);
	int answer, r;

	if (fd < 0)
		return open_error(errno, err);
	answer = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (answer != KVM_API_VERSION)
		return error_set(err, -ENODEV,
				 "%s is not a KVM device (KVM_GET_API_VERSION "
				 "answers %d, not %d)",
				 kvm_device(), answer, KVM_API_VERSION);
	*host = (struct kvm_host){ .fd = fd };
	for (size_t i = 0; i < CAPABILITY_COUNT; i++)
		if (!kvm_capability(host, capabilities[i].number))
			return error_set(err, -ENODEV,
					 "this KVM lacks %s: a newer kernel "
					 "has it",
					 capabilities[i].name);
	r = arch_kvm_check(host, err);
	if (r)
		return r;
	ask_dirty_tracking(host);
	answer = ioctl(fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (answer <= 0)
		return error_set(err, -ENODEV, "KVM_GET_VCPU_MMAP_SIZE: %s",
				 strerror(errno));
	host->run_size = (size_t)answer;
	take_fd(&fd);
	return 0;
}

static void open_once(void)
{
	the_result = open_host(&the_host, &the_error);
}

int kvm_open(struct error *err, const struct kvm_host **ret_host)
{
	pthread_once(&once, open_once);
	if (the_result) {
		if (err)
			*err = the_error;
		return the_result;
	}
	*ret_host = &the_host;
	return 0;
}

size_t kvm_facts(struct kvm_fact facts[static KVM_FACTS_MAX])
{
	cleanup_close int fd = open(kvm_device(), O_RDWR | O_CLOEXEC);
	const struct kvm_host host = { .fd = fd };
	size_t count = 0;
	int answer;

	if (fd < 0)
		return 0;
	answer = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (answer != KVM_API_VERSION)
		return 0;
	facts[count++] = (struct kvm_fact){ "API version", answer, true };
	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		answer = kvm_capability(&host, capabilities[i].number);
		facts[count++] = (struct kvm_fact){ capabilities[i].name,
						    answer, answer > 0 };
	}
	return count;
}
