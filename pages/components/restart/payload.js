// What the page tells its watch over the server, as `payload.py` says it: types and nothing else.

export {};

/**
 * An address that every run of the server responds to, the header that names the run, and the
 * `run` that made the page.
 *
 * @typedef {object} RestartData
 * @property {string} url
 * @property {string} header
 * @property {string} run
 */
