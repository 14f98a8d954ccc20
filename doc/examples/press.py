import secrets, socket

with socket.create_connection(("pi", 5555), timeout=6) as server:
    server.sendall(b"LED TOGGLE #%s\n" % secrets.token_hex(8).encode())
    print(server.makefile().readline().rstrip())
