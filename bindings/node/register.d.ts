// Nothing to name: it is there for what it does, with `node --import onward/register`.
export {}
