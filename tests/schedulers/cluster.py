#!/usr/bin/env python3
"""A private Slurm on the loopback: munged, slurmctld and a few virtual slurmd nodes in one temporary folder.

Needs root and the packages munge and slurm-wlm; no systemd, nothing in /etc, no fixed ports, so several can run side by
side. As a program it runs a command inside a fresh cluster, e.g. `cluster.py bash` or `cluster.py sinfo`.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def why_not():
    """What is missing for a cluster here, or None."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        return f"{', '.join(missing)} not found (packages slurm-wlm and munge)"
    if os.geteuid() != 0:
        return "not root: slurmd needs it to start jobs"
    return None


def free_ports(count):
    """Ports that nobody listens on. All are held until the last is known, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def descendants(root):
    """Processes below process `root`, from /proc."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = pathlib.Path("/proc", entry, "stat").read_text()
        except OSError:  # ended meanwhile
            continue
        children.setdefault(int(stat.rsplit(")", 1)[1].split()[1]), []).append(int(entry))
    found, front = [], [root]
    while front:
        front = [child for parent in front for child in children.get(parent, [])]
        found += front
    return found


def wait_until(true, seconds, what):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {seconds} s")
        time.sleep(0.1)


class Cluster:
    """`with Cluster(nodes=2, cpus=1) as cluster: cluster.run("sinfo")`. Leaving it ends every process and removes the
    folder, whatever happened inside; on a failure the daemons' logs are printed first."""

    def __init__(self, nodes=2, cpus=1, max_array_size=1001):
        self.nodes = [f"n{i + 1}" for i in range(nodes)]
        self.cpus, self.max_array_size = cpus, max_array_size
        self.daemons = {}

    # The way in and out

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="eos-slurm-"))  # short: a socket's path has at most 107 bytes
        self.environment = dict(os.environ, SLURM_CONF=str(self.folder / "slurm.conf"))
        self.environment["PATH"] += ":/usr/sbin:/sbin"
        for name in [name for name in self.environment if name.startswith(("SLURM_", "SBATCH_")) and name != "SLURM_CONF"]:
            del self.environment[name]  # of a cluster that this test itself may run on
        try:
            self._start()
        except BaseException:
            self.print_logs()
            self.stop()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is not None and issubclass(kind, Exception):
            self.print_logs()
        self.stop()

    def stop(self):
        for name in list(self.daemons):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self):
        for name in ("log", "state"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        self._write_configuration()
        self._daemon("munged", "--foreground", "--force", f"--socket={self.folder}/munge.sock", f"--key-file={key}",
                     f"--pid-file={self.folder}/munged.pid", f"--seed-file={self.folder}/munged.seed", "--num-threads=2")
        wait_until((self.folder / "munge.sock").exists, 20, "socket of munged")
        self._daemon("slurmctld", "-D", "-c")
        for node in self.nodes:
            self.start_node(node)
        wait_until(lambda: self.node_states() == {node: "idle" for node in self.nodes}, 60, "idle nodes")

    def _write_configuration(self):
        controller, *ports = free_ports(1 + len(self.nodes))
        host = socket.gethostname().split(".")[0]
        nodes = [f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} RealMemory=1000"
                 for node, port in zip(self.nodes, ports)]
        d = self.folder
        (d / "slurm.conf").write_text("\n".join([
            "ClusterName=eos",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={controller}",
            "SlurmUser=root",
            "SlurmdUser=root",
            # A requeued job waits until the credential of its first start has expired: by default two minutes, at least 5 s.
            f"AuthInfo=socket={d}/munge.sock,cred_expire=5",
            "AuthType=auth/munge",
            "CredType=cred/munge",
            f"StateSaveLocation={d}/state",
            f"SlurmdSpoolDir={d}/spool-%n",
            f"SlurmctldPidFile={d}/slurmctld.pid",
            f"SlurmdPidFile={d}/slurmd-%n.pid",
            f"SlurmctldLogFile={d}/log/slurmctld.log",
            f"SlurmdLogFile={d}/log/slurmd-%n.log",
            # Jobs are watched by their process groups; no cgroups, no accounting, no mail.
            "ProctrackType=proctrack/pgid",
            "TaskPlugin=task/none",
            "JobAcctGatherType=jobacct_gather/none",
            "AccountingStorageType=accounting_storage/none",
            "JobCompType=jobcomp/none",
            "MailProg=/bin/true",
            "MpiDefault=none",
            "PropagateResourceLimits=NONE",
            # A dead node is noticed after seconds, and scheduling does not wait for its usual periods.
            "SlurmdTimeout=5",
            "MessageTimeout=3",
            "TCPTimeout=2",
            "KillWait=5",
            "SchedulerType=sched/builtin",
            "SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0",
            "ReturnToService=2",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_CPU_Memory",
            f"MaxArraySize={self.max_array_size}",
            *nodes,
            f"PartitionName=main Nodes={','.join(self.nodes)} Default=YES MaxTime=INFINITE State=UP",
        ]) + "\n")

    def _daemon(self, name, *words):
        def child():
            # It dies with us, and its orphans become its children, so that a dead node takes its jobs with it.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
        program = shutil.which(words[0] if name in self.nodes else name, path=self.environment["PATH"])
        arguments = words[1:] if name in self.nodes else words
        with open(self.folder / "log" / f"{name}.out", "ab") as log:
            self.daemons[name] = subprocess.Popen([program, *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                                  stdout=log, stderr=log, preexec_fn=child, start_new_session=True)

    # What happens to nodes

    def start_node(self, node):
        self._daemon(node, "slurmd", "-D", "-N", node)

    def kill(self, name):
        """SIGKILL to a daemon and everything below it: for a node, what a power cut does."""
        daemon = self.daemons.pop(name)
        daemon.send_signal(signal.SIGSTOP)  # it starts nothing new meanwhile
        below = True
        while below:
            below = [pid for pid in descendants(daemon.pid) if not is_zombie(pid)]
            for pid in below:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        daemon.kill()
        daemon.wait()

    def node_states(self):
        answer = self.run("sinfo", "--noheader", "--Node", "--format=%N %T", check=False).stdout
        return dict(line.split() for line in answer.splitlines())

    # Commands and jobs

    def run(self, *words, check=True, **more):
        result = subprocess.run([str(word) for word in words], env=dict(self.environment, **more), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and result.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def tasks(self):
        """The tasks of all job arrays that are waiting or running: (job id, task) -> (state, node)."""
        answer = self.run("squeue", "--array", "--noheader", "--format=%F %K %T %N", "--states=all").stdout
        fields = [line.split() + [""] for line in answer.splitlines()]
        return {(job, task): (state, rest[0]) for job, task, state, *rest in fields}

    def print_logs(self):
        for log in [self.folder / "log" / "munged.out", *sorted((self.folder / "log").glob("*.log"))]:
            text = log.read_text(errors="replace")
            print(f"--- {log.name}\n{text[-4000:]}", file=sys.stderr)


def is_zombie(pid):
    try:
        return pathlib.Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def main():
    reason = why_not()
    if reason or len(sys.argv) < 2:
        sys.exit(f"cluster.py: {reason or 'which command shall run in the cluster?'}")
    with Cluster() as cluster:
        sys.exit(subprocess.call(sys.argv[1:], env=cluster.environment))


if __name__ == "__main__":
    main()
