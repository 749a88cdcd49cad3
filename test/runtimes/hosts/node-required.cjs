const { doors, Hono } = require("../doors.cjs");
const { announce } = require("./announce.mjs");
const { serveOnNode } = require("./node-server.mjs");

serveOnNode(doors, Hono).then((port) => announce({ node: port }));
