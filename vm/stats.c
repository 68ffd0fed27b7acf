/*
 * stats.c - reads KVM's statistics. See stats.h; the format is described in
 * Documentation/virt/kvm/api.rst under KVM_GET_STATS_FD.
 */
#include "vm/stats.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vm/kvm.h"
#include "vm/vm_internal.h"

static int read_at(int fd, void *to, size_t size, uint64_t offset)
{
	ssize_t count = pread(fd, to, size, (off_t)offset);

	if (count < 0)
		return -errno;
	return (size_t)count == size ? 0 : -EIO;
}

/* Looks for the counter among those of a vm or of a vcpu. */
static int find_stat(int owner_fd, const char *name, uint64_t *ret_value)
{
	cleanup_close int fd = ioctl(owner_fd, KVM_GET_STATS_FD, 0);
	cleanup_free struct kvm_stats_desc *desc = NULL;
	struct kvm_stats_header header;
	size_t size;
	int r;

	if (fd < 0)
		return -errno;
	r = read_at(fd, &header, sizeof(header), 0);
	if (r)
		return r;
	size = sizeof(*desc) + header.name_size;
	desc = calloc(1, size + 1);
	if (!desc)
		return -ENOMEM;
	for (uint32_t i = 0; i < header.num_desc; i++) {
		r = read_at(fd, desc, size, header.desc_offset + i * size);
		if (r)
			return r;
		if (!strcmp(desc->name, name))
			return read_at(fd, ret_value, sizeof(*ret_value),
				       header.data_offset + desc->offset);
	}
	return -ENOENT;
}

int vm_stat(const struct vm *vm, const char *name, uint64_t *ret_value)
{
	int r;

	if (!kvm_capability(vm->host, KVM_CAP_BINARY_STATS_FD))
		return -EOPNOTSUPP;
	r = find_stat(vm->vcpu_fd, name, ret_value);
	return r == -ENOENT ? find_stat(vm->fd, name, ret_value) : r;
}
