/** Tells who started this host where its servers listen: each door's port. */
export function announce(ports) {
  console.log(JSON.stringify({ ports }));
}
