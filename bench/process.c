// SPDX-License-Identifier: MIT
#include "bench/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void bench_process_pin(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)processor, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static _Noreturn void become(char *const argv[], int processor, const char *log_path)
{
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (processor >= 0)
        bench_process_pin(processor);
    if (log >= 0) {
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    execv(argv[0], argv);
    _exit(127);
}

pid_t bench_process_start(char *const argv[], int processor, const char *log_path)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        bench_die("fork", strerror(errno));
    if (pid == 0)
        become(argv, processor, log_path);
    return pid;
}

void bench_process_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

// The first number of a thread's schedstat: the nanoseconds it has run.
static int64_t thread_cpu_ns(pid_t pid, const char *thread)
{
    char path[300];
    long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%.200s/schedstat", (int)pid, thread);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0; // it has just ended
    if (fscanf(file, "%lld", &ns) != 1)
        bench_die(path, "not understood");
    fclose(file);
    return ns;
}

int64_t bench_process_cpu_ns(pid_t pid)
{
    char path[64];
    int64_t ns = 0;
    const struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        bench_die(path, "the program has ended; its log may say why");
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            ns += thread_cpu_ns(pid, entry->d_name);
    closedir(dir);
    return ns;
}

struct bench_process_memory bench_process_memory(pid_t pid)
{
    struct bench_process_memory memory = {0};
    char path[64];
    char line[200];
    size_t kib;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        bench_die(path, "the program has ended; its log may say why");
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmRSS: %zu", &kib) == 1)
            memory.resident_bytes = kib * 1024;
        if (sscanf(line, "RssAnon: %zu", &kib) == 1)
            memory.own_bytes = kib * 1024;
    }
    fclose(file);
    return memory;
}
