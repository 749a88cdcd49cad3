/** Where every route is mounted. */
export const PATH = "/webhooks";
