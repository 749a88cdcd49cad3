module.exports = {
  transformIgnorePatterns: ["/node_modules/(?!\\.pnpm/|bluum-webhooks/)"],
};
