"""gRPC servers without a line of Onward: `python grpc_server.py KIND PORT`."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import requests

ADDRESS = f"127.0.0.1:{sys.argv[2]}"


def call_on(request, context):
    requests.get(f"{os.environ['RECORDER']}/{request.decode()}", timeout=20)
    return b"done"


async def call_on_later(request, context):
    return await asyncio.to_thread(call_on, request, context)


def handlers(method):
    unary = {"call": grpc.unary_unary_rpc_method_handler(method)}
    return (grpc.method_handlers_generic_handler("Relay", unary),)


def blocking():
    server = grpc.server(ThreadPoolExecutor(4), handlers(call_on))
    server.add_insecure_port(ADDRESS)
    server.start()
    server.wait_for_termination()


async def aio():
    server = grpc.aio.server(handlers=handlers(call_on_later))
    server.add_insecure_port(ADDRESS)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    blocking() if sys.argv[1] == "blocking" else asyncio.run(aio())
