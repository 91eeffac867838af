import { arrivalTimes } from './arrivals.js';
import { EventQueue } from './event-queue.js';
import { SimulatedNode } from './nodes.js';
import { Placement } from './placement.js';
import { Random } from '../../support/random.js';
import { Replicas } from './replicas.js';
import type { Scenario } from './scenario.js';
import { nowhere, SimulatedSessions, WaitingLine } from './sessions.js';
import { Tally, type FleetResult } from './tally.js';

type Kind = 'arrival' | 'end' | 'give-up' | 'ready' | 'notice' | 'gone' | 'scale' | 'zone-fails' | 'ask';

const noticeSeconds = 120;
const pollSeconds = 10;
const hour = 3600;
/**
 * A fleet as a discrete-event simulation. Clients who find no slot wait in one line, as if they came back at once when
 * one is free; so do sessions that lose their node.
 */
class Simulation {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #events = new EventQueue<Kind>();
  readonly #sessions: SimulatedSessions;
  readonly #arrivals: Float64Array;
  readonly #nodes: SimulatedNode[] = [];
  /** Those that take newcomers, in the order in which they became ready. */
  readonly #ready: SimulatedNode[] = [];
  readonly #placement: Placement;
  readonly #replicas: Replicas;
  readonly #tally: Tally;
  readonly #line = new WaitingLine();
  #unfinished: number;
  #now = 0;
  #asks = false;
  #failedZone = nowhere;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = new Random(scenario.seed);
    const { shape, sessions, hours } = scenario;
    this.#arrivals = arrivalTimes(shape, { sessions, seconds: hours * hour }, this.#random);
    this.#sessions = new SimulatedSessions(sessions);
    this.#placement = new Placement(scenario.placement, this.#random);
    this.#replicas = new Replicas(scenario.scaling);
    this.#tally = new Tally(scenario);
    this.#unfinished = sessions;
  }

  run(): FleetResult {
    const { zoneFailsAtHour } = this.#scenario;
    for (let i = 0; i < this.#replicas.wanted; i++) this.#start(this.#request());
    if (this.#arrivals.length > 0) this.#events.add(this.#arrivals[0] ?? 0, 'arrival', 0);
    this.#events.add(pollSeconds, 'scale');
    if (Number.isFinite(zoneFailsAtHour)) this.#events.add(zoneFailsAtHour * hour, 'zone-fails');
    for (;;) {
      const event = this.#unfinished > 0 ? this.#events.take() : undefined;
      if (event === undefined) break;
      this.#tally.advance(event.at);
      this.#now = event.at;
      this.#handle(event.kind, event.subject);
    }
    for (const { requestedAt, state, isSpot } of this.#nodes) {
      if (state !== 'gone') this.#tally.paid(this.#now - requestedAt, isSpot);
    }
    return this.#tally.result();
  }

  #handle(kind: Kind, subject: number): void {
    switch (kind) {
      case 'arrival':
        return this.#arrive(subject);
      case 'end':
        return this.#end(subject);
      case 'give-up':
        return this.#giveUp(subject);
      case 'ready':
        return this.#start(subject);
      case 'notice':
        return this.#drain(subject);
      case 'gone':
        return this.#lose(subject);
      case 'scale':
        return this.#scale();
      case 'zone-fails':
        return this.#failZone();
      case 'ask':
        this.#asks = false;
        return this.#advanceLine();
    }
  }

  #arrive(session: number): void {
    const next = this.#arrivals[session + 1];
    if (next !== undefined) this.#events.add(next, 'arrival', session + 1);
    this.#sessions.state[session] = 'waiting';
    this.#wait(session);
    this.#advanceLine();
    const { patienceSeconds } = this.#scenario;
    if (this.#sessions.state[session] === 'waiting' && Number.isFinite(patienceSeconds))
      this.#events.add(this.#now + patienceSeconds, 'give-up', session);
  }

  #wait(session: number): void {
    this.#sessions.waitingSince[session] = this.#now;
    this.#line.add(session);
    this.#tally.waiting(this.#sessions.state[session] === 'waiting' ? 1 : 0);
  }

  /** Gives slots to those who wait, in their order, while there are some. */
  #advanceLine(): void {
    this.#line.advance((session) => !this.#needsPlace(session) || this.#place(session));
  }

  /** Whether it is still there, and has no node or one that drains. */
  #needsPlace(session: number): boolean {
    const state = this.#sessions.state[session];
    if (state === 'served') return this.#nodeOf(session)?.state === 'draining';
    return state === 'waiting' || state === 'cut';
  }

  #nodeOf(session: number): SimulatedNode | undefined {
    return this.#nodes[this.#sessions.node[session] ?? nowhere];
  }

  /** @returns whether there was a slot. */
  #place(session: number): boolean {
    if (this.#tally.freeSlots === 0) return false;
    for (const node of this.#ready) node.keepAnswer(this.#now);
    const node = this.#ready[this.#placement.choose(this.#ready, this.#scenario.slots)];
    if (node === undefined) {
      // A slot is free, and its agent has not said so yet.
      if (!this.#asks) this.#events.add((Math.floor(this.#now * 2) + 1) / 2, 'ask');
      this.#asks = true;
      return false;
    }
    const { state, waitingSince } = this.#sessions;
    const waited = this.#now - (waitingSince[session] ?? 0);
    if (state[session] === 'waiting') {
      this.#tally.started(waited);
      this.#events.add(this.#now + this.#random.exponential(this.#scenario.stayMinutes * 60), 'end', session);
    } else {
      this.#tally.moved(state[session] === 'cut' ? waited : 0);
      if (state[session] === 'served') this.#leave(session);
    }
    state[session] = 'served';
    this.#join(session, node);
    return true;
  }

  #join(session: number, node: SimulatedNode): void {
    this.#sessions.node[session] = node.number;
    this.#sessions.place[session] = node.sessions.push(session) - 1;
    this.#tally.served(1, node.state === 'ready');
  }

  #leave(session: number): void {
    const node = this.#nodeOf(session);
    if (node === undefined) return;
    node.keepAnswer(this.#now);
    const place = this.#sessions.place[session] ?? 0;
    const last = node.sessions.pop();
    if (last !== undefined && last !== session) {
      node.sessions[place] = last;
      this.#sessions.place[last] = place;
    }
    this.#sessions.node[session] = nowhere;
    this.#tally.served(-1, node.state === 'ready');
  }

  #end(session: number): void {
    this.#leave(session);
    this.#finish(session);
    this.#tally.ended();
    this.#advanceLine();
  }

  #giveUp(session: number): void {
    if (this.#sessions.state[session] !== 'waiting') return;
    this.#finish(session);
    this.#tally.gaveUp();
    this.#advanceLine();
  }

  #finish(session: number): void {
    this.#sessions.state[session] = 'done';
    this.#unfinished -= 1;
  }

  /** Requests a node in the zone that has the fewest. @returns its number. */
  #request(): number {
    const { zones, spotShare, slots } = this.#scenario;
    const each = Array.from({ length: zones }, () => 0);
    for (const { zone, state } of this.#nodes) if (state !== 'gone') each[zone] = (each[zone] ?? 0) + 1;
    if (zones > 1 && this.#failedZone >= 0) each[this.#failedZone] = Infinity;
    const zone = each.indexOf(Math.min(...each));
    const isSpot = this.#random.next() < spotShare;
    const number = this.#nodes.length;
    this.#nodes.push(new SimulatedNode(slots, { number, zone, isSpot, requestedAt: this.#now }));
    return number;
  }

  #start(number: number): void {
    const node = this.#nodes[number];
    if (node?.state !== 'starting') return;
    node.state = 'ready';
    this.#ready.push(node);
    this.#tally.ready(1, 0);
    if (node.isSpot) {
      const seconds = this.#random.exponential(this.#scenario.spotHours * hour);
      this.#events.add(this.#now + seconds, 'notice', number);
    }
    this.#advanceLine();
  }

  /** Takes no newcomers, and sends the sessions of a node elsewhere; two minutes later it is gone. */
  #drain(number: number): void {
    const node = this.#nodes[number];
    if (node?.state !== 'ready') return;
    this.#unlist(node, 'draining');
    for (const session of node.sessions) this.#wait(session);
    this.#events.add(this.#now + noticeSeconds, 'gone', number);
    this.#replace();
    this.#advanceLine();
  }

  /** A node is gone: its sessions are cut, and wait for another. */
  #lose(number: number): void {
    const node = this.#nodes[number];
    if (node === undefined || node.state === 'gone') return;
    if (node.state === 'ready') this.#unlist(node, 'gone');
    node.state = 'gone';
    for (const session of node.sessions.slice()) {
      this.#leave(session);
      this.#sessions.state[session] = 'cut';
      this.#wait(session);
    }
    this.#tally.paid(this.#now - node.requestedAt, node.isSpot);
  }

  #unlist(node: SimulatedNode, state: 'draining' | 'gone'): void {
    this.#ready.splice(this.#ready.indexOf(node), 1);
    node.state = state;
    this.#tally.ready(-1, node.count);
  }

  #failZone(): void {
    if (this.#failedZone >= 0) {
      this.#failedZone = nowhere;
      return;
    }
    this.#failedZone = this.#random.below(this.#scenario.zones);
    for (const [number, { zone }] of this.#nodes.entries()) if (zone === this.#failedZone) this.#lose(number);
    this.#events.add(this.#now + hour, 'zone-fails');
    this.#replace();
    this.#advanceLine();
  }

  #scale(): void {
    this.#events.add(this.#now + pollSeconds, 'scale');
    this.#tally.spread(this.#ready);
    const { sessions, newcomers } = this.#tally.present;
    if (this.#replicas.decide(this.#now, { sessions, refused: newcomers, slots: this.#scenario.slots })) {
      this.#replace();
      this.#shrink();
    }
  }

  /** Requests as many nodes as are missing, as a Deployment does. */
  #replace(): void {
    for (let missing = this.#replicas.wanted - this.#alive(); missing > 0; missing--) {
      const number = this.#request();
      this.#events.add(this.#now + this.#scenario.startMinutes * 60, 'ready', number);
    }
  }

  /** Stops nodes that are too many: any, or with first-fit those without sessions, as Agones does. */
  #shrink(): void {
    for (let surplus = this.#alive() - this.#replicas.wanted; surplus > 0; surplus--) {
      const isPacked = this.#scenario.placement === 'first-fit';
      const choice = isPacked ? this.#ready.filter(({ count }) => count === 0) : this.#ready;
      const node = choice[this.#random.below(choice.length)];
      if (node === undefined) return;
      this.#drain(node.number);
    }
  }

  #alive(): number {
    return this.#nodes.reduce((sum, { state }) => sum + Number(state === 'starting' || state === 'ready'), 0);
  }
}

/** Simulates a fleet until its last session has ended. */
export function simulate(scenario: Scenario): FleetResult {
  return new Simulation(scenario).run();
}
