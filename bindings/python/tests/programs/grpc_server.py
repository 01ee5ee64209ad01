"""A gRPC server that calls another one, without a line of Onward: `grpc_server.py PORT RATINGS`."""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

port, ratings = sys.argv[1:]
get_ratings = grpc.insecure_channel(f"127.0.0.1:{ratings}").unary_unary("/bookinfo.Ratings/Get")


def get(request, context):
    return get_ratings(request)


server = grpc.server(ThreadPoolExecutor())
methods = {"Get": grpc.unary_unary_rpc_method_handler(get)}
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("bookinfo.Reviews", methods)])
server.add_insecure_port(f"127.0.0.1:{port}")
server.start()
server.wait_for_termination()
