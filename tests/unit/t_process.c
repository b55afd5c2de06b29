#include "lib/base/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/test.h"

/* In a child: what is given up cannot be had back. */
static void
a_guarded_process_leaves_no_core(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit limit = {1, 1};
		bool open;

		ht_process_guard();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
		open = false;
#else
		open = prctl(PR_GET_DUMPABLE) != 0;
#endif
		if (getrlimit(RLIMIT_CORE, &limit) != 0 ||
		    limit.rlim_max != 0 || limit.rlim_cur != 0)
			_exit(1);
		if (open)
			_exit(2);
		(void)raise(SIGQUIT);
		_exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGQUIT);
	assert_false(WCOREDUMP(status));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_guarded_process_leaves_no_core),
};

HT_TEST_MAIN(tests)
