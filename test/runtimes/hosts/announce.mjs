/** Tells who started this host where its servers listen: each door's port, or `suite` for one that only runs checks. */
export function announce(ports) {
  console.log(JSON.stringify({ ports }));
}
