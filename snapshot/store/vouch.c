/* vouch.c - see vouch.h. */
#include "snapshot/store/vouch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "snapshot/store/file.h"
#include "snapshot/store/writer.h"

#define VOUCH_MAGIC "thawvouc"

/* At least how far apart two times of a file differ: a tick of the slowest kernel. */
#define VOUCH_TICK_NS (20 * NS_PER_MS)

struct voucher {
	char magic[8];
	uint64_t device, inode, size;
	int64_t modified_s, modified_ns, changed_s, changed_ns;
	uint8_t header_hash[STORE_HASH_SIZE];
	uint8_t hash[STORE_HASH_SIZE]; /* of what is before it */
};

_Static_assert(sizeof(struct voucher) == 128, "no padding");

static int make_voucher(int fd, const uint8_t header_hash[STORE_HASH_SIZE],
			struct voucher *ret_voucher)
{
	struct voucher voucher = { .magic = "" };
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	memcpy(voucher.magic, VOUCH_MAGIC, sizeof(voucher.magic));
	voucher.device = status.st_dev;
	voucher.inode = status.st_ino;
	voucher.size = (uint64_t)status.st_size;
	voucher.modified_s = status.st_mtim.tv_sec;
	voucher.modified_ns = status.st_mtim.tv_nsec;
	voucher.changed_s = status.st_ctim.tv_sec;
	voucher.changed_ns = status.st_ctim.tv_nsec;
	memcpy(voucher.header_hash, header_hash, STORE_HASH_SIZE);
	store_hash(&voucher, offsetof(struct voucher, hash), voucher.hash);
	*ret_voucher = voucher;
	return 0;
}

/*
 * Waits until the next change of the file will have another time than its last one: within
 * a tick they would look the same.
 */
static void wait_for_tick(const struct voucher *voucher)
{
	const uint64_t changed_ns = (uint64_t)voucher->changed_s * NS_PER_S +
				    (uint64_t)voucher->changed_ns;
	const uint64_t now_ns = clock_read_ns(CLOCK_REALTIME);
	struct timespec rest = { 0 };

	/* a time in the future is another machine's, whose ticks we do not know */
	if (now_ns < changed_ns || now_ns - changed_ns >= VOUCH_TICK_NS)
		return;
	rest.tv_nsec = (long)(VOUCH_TICK_NS - (now_ns - changed_ns));
	(void)nanosleep(&rest, NULL);
}

bool vouch_is_there(int dir, const char *name, int fd,
		    const uint8_t header_hash[STORE_HASH_SIZE])
{
	struct voucher found, wanted;
	struct stat status;
	cleanup_close int file =
		openat(dir, name,
		       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return file >= 0 && !fstat(file, &status) && S_ISREG(status.st_mode) &&
	       status.st_uid == geteuid() && !(status.st_mode & 022) &&
	       pread(file, &found, sizeof(found), 0) == sizeof(found) &&
	       !make_voucher(fd, header_hash, &wanted) &&
	       !memcmp(&found, &wanted, sizeof(found));
}

int vouch_write(int dir, const char *name, int fd,
		const uint8_t header_hash[STORE_HASH_SIZE])
{
	char temporary[STORE_TEMPORARY_MAX];
	struct voucher voucher = { .magic = "" };
	cleanup_close int file = -1;
	int r = make_voucher(fd, header_hash, &voucher);

	if (r)
		return r;
	wait_for_tick(&voucher);
	file = store_create_temporary(dir, temporary);
	if (file < 0)
		return file;
	r = store_write_all(file, &voucher, sizeof(voucher), 0);
	if (!r && renameat(dir, temporary, dir, name))
		r = -errno;
	if (r)
		unlinkat(dir, temporary, 0);
	return r;
}

void vouch_touch(int dir, const char *name)
{
	(void)utimensat(dir, name, NULL, AT_SYMLINK_NOFOLLOW);
}
