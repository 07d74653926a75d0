/** Of package.json; a test holds the two equal. */
export const SOFTWARE_VERSION = 'rota/0.1.0'
