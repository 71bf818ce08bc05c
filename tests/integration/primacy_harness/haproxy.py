"""A real haproxy with its runtime sockets, before two servers of a topology."""

import socket

import pymysql

from .polling import wait_until
from .ports import free_port, release_port
from .processes import Process
from .tools import find_tool, why_not
from .topology import WRITER, WRITER_PASSWORD


class HAProxy:
    """Port `port` leads to `primary`, and to `standby` when that is out."""

    def __init__(self, folder, primary, standby):
        self.socket = folder / "haproxy.sock"
        self.operator_socket = folder / "haproxy-operator.sock"
        self.port, self.admin_port = free_port(), free_port()
        config = folder / "haproxy.cfg"
        config.write_text(
            "global\n"
            f"  stats socket {self.socket} mode 600 level admin\n"
            f"  stats socket {self.operator_socket} mode 600 level operator\n"
            f"  stats socket ipv4@127.0.0.1:{self.admin_port} level admin\n"
            "defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 60s\n"
            "  timeout server 60s\n"
            f"frontend in\n  bind 127.0.0.1:{self.port}\n  default_backend mysql_write\n"
            "backend mysql_write\n"
            f"  server primary {primary.address}\n"
            f"  server standby {standby.address} backup\n")
        self.process = Process([find_tool("haproxy"), "-db", "-f", config],
                               log=folder / "haproxy.log")
        wait_until(lambda: self.ask("show cli level") == "admin", 15, "haproxy to answer",
                   ignore=(OSError,))

    @staticmethod
    def why_not():
        """None when it can run here, else a sentence with the reason."""
        return why_not("haproxy")

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(str(self.socket))
            link.sendall(command.encode() + b"\n")
            answer = b""
            while part := link.recv(65536):
                answer += part
            return answer.decode().strip()

    def connect(self):
        return pymysql.connect(host="127.0.0.1", port=self.port, user=WRITER, autocommit=True,
                               password=WRITER_PASSWORD, connect_timeout=5, read_timeout=10)

    def close(self):
        self.process.resume()
        self.process.kill()
        release_port(self.port)
        release_port(self.admin_port)
