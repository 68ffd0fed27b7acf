# workerd.capnp - what workerd serves. measure.py says at which address.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "hello", worker = .hello)],
  sockets = [(name = "http", http = (), service = "hello")],
);

const hello :Workerd.Worker = (
  modules = [
    (name = "workerd.mjs", esModule = embed "workerd.mjs"),
    (name = "hello.mjs", esModule = embed "hello.mjs"),
  ],
  compatibilityDate = "2025-01-01",
);
