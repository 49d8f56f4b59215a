# Follows attempts.py: what model servers in Python do all day. It is a file, for multiprocessing starts it again.
import ctypes.util
import multiprocessing
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import threading
from multiprocessing import shared_memory


def square(number):
    return number * number


def pool(method):
    with multiprocessing.get_context(method).Pool(2) as workers:
        assert workers.map(square, range(4)) == [0, 1, 4, 9]


def shared():
    block = shared_memory.SharedMemory(create=True, size=4096)
    block.buf[0] = 7
    again = shared_memory.SharedMemory(name=block.name)
    assert again.buf[0] == 7
    again.close()
    block.close()
    block.unlink()


def manager():
    with multiprocessing.Manager() as one:
        assert one.list([1])[0] == 1


def temporary():
    with tempfile.NamedTemporaryFile() as file:
        assert file.name.startswith(os.environ["TMPDIR"])


def move():
    write("tmp/weights.part")
    os.replace("tmp/weights.part", "model/weights")
    os.makedirs("a/b")
    os.rename("a/b", "c")
    shutil.rmtree("a")
    os.rmdir("c")


def own_program():
    with open("model/run.sh", "w") as file:
        file.write("#!/bin/sh\necho $((6*7))\n")
    os.chmod("model/run.sh", 0o700)
    assert subprocess.check_output(["./model/run.sh"]) == b"42\n"


def shell():
    assert subprocess.check_output("cat /etc/passwd /dev/null | sort | wc -l; uname", shell=True)


def children():
    child = subprocess.Popen(["sleep", "100"])
    child.terminate()
    assert child.wait() == -signal.SIGTERM


def sockets(name):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(name)
        server.listen()
        client.connect(name)


def tcp():
    address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    with socket.create_server(address) as server:
        socket.create_connection(server.getsockname()).close()


def database():
    base = sqlite3.connect("model/base.db")
    base.execute("create table t (a)")
    base.commit()
    base.close()


def numpy():
    try:
        import numpy as np
    except ModuleNotFoundError:
        return
    assert np.ones((64, 64)).dot(np.ones((64, 64))).sum() == 64**3


def beside():
    import sibling

    assert sibling.VALUE == 3


def thread():
    one = threading.Thread(target=temporary)
    one.start()
    one.join()


if __name__ == "__main__":
    for method in ["fork", "spawn", "forkserver"]:
        attempt(f"pool {method}", lambda: pool(method))
    for deed in [shared, manager, temporary, move, own_program, shell, children, tcp, database, numpy, beside, thread]:
        attempt(deed.__name__, deed)
    attempt("socket", lambda: sockets("own-socket"))
    attempt("abstract socket", lambda: sockets("\0" + os.environ["TIDEGATE_INSTANCE_ID"]))
    attempt("tls", lambda: ssl.create_default_context().get_ca_certs() and None)
    attempt("library", lambda: ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6") and None)
    attempt("zone", lambda: os.stat("/etc/localtime") and None)
    attempt("names", lambda: socket.gethostbyname("localhost") and None)
    for path in ["/proc/meminfo", "/sys/devices/system/cpu/online", "/etc/resolv.conf"]:
        attempt(path, lambda: read(path))
    for device in ["null", "zero", "full", "urandom"]:
        attempt(device, lambda: read("/dev/" + device))
    attempt("write null", lambda: write("/dev/null"))
    attempt("print", lambda: open("/dev/stdout", "wb").close())
    for path in sys.argv[1:]:
        attempt(f"read {path}", lambda: read(path))
