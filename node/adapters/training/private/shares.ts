import { DenseShare } from './dense-share.ts'
import { convShape, filterGradient } from './filter-gradient.ts'
import { FormedShare } from './formed-share.ts'
import type { OuterProducts } from './outer-products.ts'
import { asImages, type Seen } from './seen.ts'
import type { Share } from './share.ts'

/** @param bounds first row of each patient in the batch, and the end */
export function shareOf(products: OuterProducts, bounds: Uint32Array, seen: Seen): Share {
  const { layer } = seen
  if (layer.kind === 'dense') return new DenseShare(products, bounds, seen.x, seen.d, seen.xShape.at(-1) as number, seen.dShape.at(-1) as number, layer.useBias)
  return layer.kind === 'conv' ? convolutionShare(products, bounds, seen) : normShare(bounds, seen)
}

function convolutionShare(products: OuterProducts, bounds: Uint32Array, { layer, x, d, xShape, dShape }: Seen): Share {
  if (layer.kind !== 'conv') throw new TypeError('no convolution')
  const kernel = layer.weights[0]?.shape as readonly number[]
  const window: readonly [number, number] = kernel.length === 4 ? [kernel[0] as number, kernel[1] as number] : [1, kernel[0] as number]
  const shape = convShape(asImages(xShape), asImages(dShape), window, layer.strides, layer.padding)
  const size = window[0] * window[1] * shape.image[2] * shape.out[2] + (layer.useBias ? shape.out[2] : 0)
  return new FormedShare(size, bounds.length - 1, (p, into) => filterGradient(products, shape, x, d, bounds[p] as number, bounds[p + 1] as number, into))
}

/** Scale: Σ d · x over positions, x being normalised; shift: Σ d. */
function normShare(bounds: Uint32Array, { x, d, dShape }: Seen): Share {
  const channels = dShape.at(-1) as number
  const perRow = d.length / (bounds.at(-1) as number)
  return new FormedShare(2 * channels, bounds.length - 1, (p, into) => {
    into.fill(0)
    for (let i = (bounds[p] as number) * perRow; i < (bounds[p + 1] as number) * perRow; ) {
      for (let c = 0; c < channels; c++, i++) {
        into[c] = (into[c] as number) + (d[i] as number) * (x[i] as number)
        into[channels + c] = (into[channels + c] as number) + (d[i] as number)
      }
    }
  })
}
