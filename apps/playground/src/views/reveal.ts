/** Scrolls a row sideways, and nothing else, until a part of it and a bit of its neighbours are in sight. */
export function reveal(row: HTMLElement | null, part: Element | null | undefined): void {
  if (row === null || !part) return;
  const [frame, box] = [row.getBoundingClientRect(), part.getBoundingClientRect()];
  const neighbour = 32;
  if (box.left - neighbour < frame.left) row.scrollLeft -= frame.left - box.left + neighbour;
  else if (box.right + neighbour > frame.right) row.scrollLeft += box.right - frame.right + neighbour;
}
