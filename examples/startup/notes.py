"""Notes on the command line: what only one command needs is imported by that command."""

import sys

USAGE = "usage: notes (--version | --help | list FILE | serve PORT)"


def list_notes(path):
    import json

    with open(path, encoding="utf-8") as file:
        for note in json.load(file):
            print(note["title"])


def serve(port):
    import http.server

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), http.server.BaseHTTPRequestHandler)
    print(f"serving on port {port}", flush=True)
    server.serve_forever()


def main(arguments):
    match arguments:
        case ["--version"]:
            print("notes 1.0")
        case ["--help"]:
            print(USAGE)
        case ["list", path]:
            list_notes(path)
        case ["serve", port]:
            serve(int(port))
        case _:
            sys.exit(USAGE)


if __name__ == "__main__":
    main(sys.argv[1:])
