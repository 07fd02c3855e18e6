// Cards, replies and decisions to test with.

/** @import { Card, Reply, VerdictDecision } from "../../pages/components/reviewer/payload.js" */

/**
 * A card of a clip of three seconds at 30 frames a second.
 *
 * @param {string} id
 * @param {Partial<Card>} [facts]
 * @returns {Card}
 */
export function makeCard(id, facts = {}) {
  return {
    id,
    clip: "sha",
    name: `clip ${id}`,
    part: 1,
    parts: 1,
    exercise: "squat",
    group: "Ada",
    start: 0,
    end: 3,
    duration: 3,
    fps: 30,
    ratio: 0.75,
    verdict: "pending",
    reasons: [],
    comment: "",
    reviewer: "",
    revision: 0,
    quality: 0.8,
    level: "good",
    problems: [],
    notes: [],
    failed: "",
    repetitions: [],
    history: [],
    video: null,
    traces: null,
    points: null,
    corrections: 0,
    ...facts,
  };
}

/**
 * A verdict that has no number yet.
 *
 * @param {string} item
 * @returns {Omit<VerdictDecision, "seq">}
 */
export function makeVerdict(item) {
  return { kind: "verdict", item, revision: 0, verdict: "accepted", reasons: [], comment: "" };
}

/**
 * @param {number} seq
 * @param {Partial<Reply>} [facts]
 * @returns {Reply}
 */
export function makeReply(seq, facts = {}) {
  return { client: "me", seq, state: "saved", item_id: "a", text: "", revision: 0, ...facts };
}
