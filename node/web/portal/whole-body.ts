import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { isRotaError } from '#base/errors.ts'

/**
 * Bodies of at most so many bytes. One that breaks off, or whose pieces are no HTTP, is its sender's fault: nobody can fill the log with it.
 * @param broken what is thrown then @throws what `tooLong` throws
 */
export function wholeBody(maxSize: number, tooLong: () => never, broken: () => Error): MiddlewareHandler {
  const limit = bodyLimit({ maxSize, onError: tooLong })
  return async (c, next) => {
    let isRead = false
    const goOn = (): Promise<void> => {
      isRead = true
      return next()
    }
    try {
      return await limit(c, goOn)
    } catch (error) {
      throw isRead || isRotaError(error) ? error : broken()
    }
  }
}
