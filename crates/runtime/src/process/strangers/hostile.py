# Follows attempts.py. Arguments: the data directory, a folder of the user's, another instance, the server's process.
import ctypes
import resource
import socket
import stat

data, user, other, server = sys.argv[1:5]
libc = ctypes.CDLL(None, use_errno=True)


def mount(path):
    if libc.mount(b"none", path, b"tmpfs", 0, None) != 0:
        raise OSError(ctypes.get_errno(), "mount")


def through_a_link(target):
    os.symlink(target, "link")
    try:
        read("link")
    finally:
        os.unlink("link")


def connect(name):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(name)


attempt("read credentials", lambda: read(f"{data}/credentials"))
attempt("read credentials upwards", lambda: read("../../credentials"))
attempt("read credentials through a link", lambda: through_a_link(f"{data}/credentials"))
attempt("read credentials through the server", lambda: read(f"/proc/{server}/root{data}/credentials"))
attempt("read credentials through its own folder", lambda: read("/proc/self/cwd/../../credentials"))
attempt("take credentials along", lambda: os.rename(f"{data}/credentials", "taken"))
attempt("link credentials", lambda: os.link(f"{data}/credentials", "taken"))
attempt("read the database", lambda: read(f"{data}/state.db"))
attempt("write the database", lambda: open(f"{data}/state.db", "ab"))
attempt("cut the database", lambda: os.truncate(f"{data}/state.db", 0))
attempt("remove the database", lambda: os.unlink(f"{data}/state.db"))
attempt("list the data directory", lambda: listed(data))
attempt("list instances", lambda: listed(".."))
attempt("read another instance", lambda: read(f"../{other}/model/weights"))
attempt("write another instance", lambda: write(f"../{other}/model/added"))
attempt("read a key", lambda: read(f"{user}/.ssh/id_ed25519"))
attempt("list a user", lambda: listed(user))
attempt("write a user", lambda: write(f"{user}/written"))
attempt("write /usr", lambda: write("/usr/tidegate-stranger"))
attempt("write /etc", lambda: write("/etc/tidegate-stranger"))
attempt("write /tmp", lambda: write("/tmp/tidegate-stranger"))
attempt("write /sys", lambda: os.mkdir("/sys/fs/cgroup/tidegate-stranger"))
attempt("write /proc", lambda: open("/proc/sys/kernel/core_pattern", "ab"))
attempt("make a device", lambda: os.mknod("device", stat.S_IFBLK | 0o600, os.makedev(7, 0)))
attempt("mount", lambda: mount(b"tmp"))
attempt("list terminals", lambda: listed("/dev/pts"))
attempt("read the server's environment", lambda: read(f"/proc/{server}/environ"))
attempt("read the server's layout", lambda: read(f"/proc/{server}/maps"))
attempt("read the server's memory", lambda: read(f"/proc/{server}/mem"))
attempt("newer: signal the server", lambda: os.kill(int(server), 0))
attempt("newer: signal the supervisor", lambda: os.kill(os.getppid(), 0))
attempt("newer: connect to an abstract socket", lambda: connect("\0" + other))
with open("/proc/self/status") as lines:
    status = dict(line.split(":", 1) for line in lines)
attempt("fact: no new privileges", lambda: status["NoNewPrivs"].strip())
attempt("fact: capabilities", lambda: str(int(status["CapPrm"], 16) & ~0x4FB))
attempt("fact: core", lambda: str(resource.getrlimit(resource.RLIMIT_CORE)))
attempt("fact: descriptors", lambda: str(max(resource.getrlimit(resource.RLIMIT_NOFILE)) <= 65536))
