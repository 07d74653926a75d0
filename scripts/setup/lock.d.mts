/** Does `work` while no other process of this folder does. */
export function alone<T>(root: string, work: () => Promise<T>): Promise<T>
