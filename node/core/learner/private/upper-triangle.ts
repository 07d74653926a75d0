/** A symmetric matrix as models keep it: its upper triangle by rows, times `scale`; empty where there is none. */
export function upperTriangle(matrix: Float64Array | null, size: number, scale = 1): number[] {
  if (matrix === null) return []
  const upper: number[] = []
  for (let j = 0; j < size; j++) for (let k = j; k < size; k++) upper.push(scale * (matrix[j * size + k] as number) + 0)
  return upper
}
