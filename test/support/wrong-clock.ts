// Loaded before a node (--import): its clock is ten minutes and a second ahead of everybody else's.
const now = Date.now
Date.now = () => now() + 601_000
