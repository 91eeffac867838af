import {
  fetchCapabilities,
  fetchStyles,
  fetchViewerLinks,
  MillraceError,
  type Capabilities,
  type MillraceStream,
  type StreamStats,
  type ViewerUrls,
} from '@millrace/client';
import { drawResults, VideoSource } from '@millrace/client/browser';
import { computed, signal } from '@preact/signals';
import { Archive } from './archive.js';
import { History } from './history.js';
import { Link } from './link.js';
import { Memory } from './memory.js';
import { Notices } from './notices.js';
import { Performer } from './performer.js';
import { ParameterDesk } from './parameter-desk.js';
import { Previews } from './previews.js';
import { Playback } from './playback.js';
import { Projection } from './projection.js';
import { Shape } from './shape.js';
import { ServerWatch } from './server-watch.js';
import {
  kindOf,
  modeFor,
  openSource,
  SourceError,
  type Source,
  type SourceKind,
  type WantedSource,
} from './source.js';
import { StyleBook } from './style-book.js';
import { Tabs } from './tabs.js';
import { lengthProblem, textLimit } from './text-limit.js';

/** The elements of the page that a studio uses. */
export interface StudioElements {
  readonly video: HTMLVideoElement;
  readonly canvas: HTMLCanvasElement;
}

const statsPeriodMs = 500;
const capabilitiesPauseMs = 1500;
/** Time for the server to notice that another tab's stream has ended. */
const takeOverMs = 400;
const tokenKey = 'millrace-token';

/** The state and logic behind the page: a source, a stream, its parameters and its figures. */
export class Studio {
  readonly notices = new Notices();
  readonly announce = this.notices.announce;
  readonly desk = new ParameterDesk((name, value) =>
    lengthProblem(value, textLimit(this.capabilities.peek()?.parameters.properties[name])),
  );
  readonly link: Link;
  readonly server: ServerWatch;
  readonly tabs = new Tabs({
    streams: () => this.#stream !== undefined,
    stop: () => {
      this.stop();
      this.sourceProblem.value = 'The stream continues in another tab of this browser.';
    },
  });
  readonly previews = new Previews();
  readonly history = new History(this.desk);
  /** What the address and this browser keep; undefined until the capabilities are known. */
  readonly memory = signal<Memory>();
  readonly archive = new Archive({
    desk: this.desk,
    canvas: () => (this.flowing.peek() ? this.#elements?.canvas : undefined),
    model: () => this.capabilities.peek()?.model.name,
    playFile: (file) => void this.play(file),
    announce: this.announce,
  });
  readonly performer = new Performer({
    desk: this.desk,
    definitions: () => this.capabilities.peek()?.parameters.properties ?? {},
    announce: this.announce,
  });
  readonly styles = new StyleBook(this.desk);
  readonly projection = new Projection();
  readonly playback = new Playback();
  readonly capabilities = signal<Capabilities>();
  readonly shape = new Shape(this.desk, this.capabilities);
  readonly source = signal<Source>();
  /** The source that is being opened. */
  readonly opening = signal<SourceKind>();
  readonly sourceProblem = signal<string>();
  /** Whether a generated picture has been drawn since the source was opened. */
  readonly flowing = signal(false);
  /** Whether a generated picture is on the canvas: it stays when the connection is lost. */
  readonly pictured = signal(false);
  /** Whether the source is mirrored. */
  readonly mirror = signal(false);
  /** The stream's figures; undefined while no pictures flow, since they would be outdated. */
  readonly stats = computed(() => (this.flowing.value ? this.#stats.value : undefined));
  /** Width over height of the generated pictures. */
  readonly aspect = computed(() => {
    const { width = 1, height = 1 } = this.desk.inForce.value;
    return width / height;
  });
  /** The size of the next picture, while its first has not come yet; undefined if the size has not changed. */
  readonly awaitedSize = computed(() => {
    const { width, height } = this.desk.inForce.value;
    const size = `${width} × ${height}`;
    return this.flowing.value && size !== this.#drawn.value ? size : undefined;
  });
  readonly #stats = signal<StreamStats>();
  /** The size of the last picture. */
  readonly #drawn = signal<string>();
  readonly #url: string;
  #elements: StudioElements | undefined;
  #opening = new AbortController();
  #stream: MillraceStream | undefined;
  #sender: VideoSource | undefined;

  constructor(url: string) {
    this.#url = url;
    this.link = new Link({
      url,
      parameters: () => ({ ...this.desk.start, ...modeFor(this.source.peek()) }),
      token: () => sessionStorage.getItem(tokenKey) ?? undefined,
      opened: (stream) => this.#opened(stream),
      interrupted: () => (this.flowing.value = false),
      reconnected: (stream) => this.desk.attach(stream),
      closed: () => this.#closed(),
      full: () => this.tabs.ask(),
      refused: (error) => this.desk.refuseStart(error.field, error.message),
      notice: this.announce,
    });
    this.server = new ServerWatch(url);
  }

  /** Stops the stream of another tab of this browser, and gets its place. */
  takeOver(): void {
    this.tabs.takeOver();
    // In the queue the place comes by itself.
    setTimeout(() => this.link.open(), takeOverMs);
  }

  /** Starts to use the elements, which must stay in the page, and loads the capabilities of the server. */
  async begin(elements: StudioElements): Promise<void> {
    this.#elements = elements;
    this.projection.begin(elements.canvas);
    this.playback.begin(elements.video);
    this.shape.begin(elements.video);
    setInterval(() => (this.#stats.value = this.#stream?.stats()), statsPeriodMs);
    while (this.capabilities.peek() === undefined) {
      try {
        const capabilities = await fetchCapabilities(this.#url);
        const { properties } = capabilities.parameters;
        const defaults = Object.entries(properties).map(([name, value]) => [name, value.default] as const);
        this.desk.defaults.value = Object.fromEntries<unknown>(defaults);
        this.desk.inForce.value = this.desk.defaults.peek();
        this.capabilities.value = capabilities;
        this.memory.value = new Memory(this.desk, capabilities.model.name, properties);
        this.history.clear();
        this.styles.all.value = await fetchStyles(this.#url).catch(() => ({ ...capabilities, moods: [] }));
      } catch {
        await new Promise((resolve) => setTimeout(resolve, capabilitiesPauseMs));
      }
    }
  }

  /** Plays and streams a source, which replaces the current one. A later call replaces one in progress. */
  async play(wanted: WantedSource): Promise<void> {
    const previous = this.source.peek();
    if (this.#elements === undefined) return;
    this.#opening.abort();
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    this.opening.value = kindOf(wanted);
    this.sourceProblem.value = undefined;
    try {
      if (wanted === 'clip' && previous?.kind === 'clip') return;
      const source = await openSource(wanted, this.#elements.video, signal);
      if (signal.aborted) return source.close();
      previous?.close();
      this.source.value = source;
      this.mirror.value = source.mirror;
      // A stream with another mode is another stream.
      if (previous && (previous.kind === 'words') !== (source.kind === 'words')) this.#hangUp();
      source.onEnded(() => {
        if (this.source.peek() !== source) return;
        this.stop();
        this.sourceProblem.value = `The ${source.kind} has stopped.`;
      });
      this.link.open();
      this.#send();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SourceError)) throw error;
      this.sourceProblem.value = error.message;
    } finally {
      if (!signal.aborted) this.opening.value = undefined;
    }
  }

  /** Switches to another camera, by default the next one. Phones open one only after the other was closed. */
  async switchCamera(id?: string): Promise<void> {
    const source = this.source.peek();
    const { camera: present, cameras = [] } = source ?? {};
    const index = cameras.findIndex((each) => each.id === present);
    const next = id ?? cameras[(index + 1) % cameras.length]?.id;
    if (source === undefined || next === undefined || next === present) return;
    source.close();
    await this.play({ camera: next });
    if (this.source.peek() === source && this.opening.peek() === undefined) this.stop();
  }

  /** Connects with an access token, which is kept until the tab is closed. */
  signIn(token: string): void {
    sessionStorage.setItem(tokenKey, token);
    this.link.open();
  }

  turnMirror(): void {
    this.mirror.value = !this.mirror.peek();
    this.#send();
  }

  /** Shows the output in a second window. */
  openWindow(): void {
    if (!this.projection.openWindow())
      this.announce('The browser did not open a window. Allow pop-ups here.');
  }

  /** Makes links for viewers. @throws {MillraceError} (as rejection) if the server refuses. */
  async viewerLinks(): Promise<ViewerUrls> {
    if (this.#stream === undefined) throw new MillraceError('closed');
    return fetchViewerLinks(this.#url, this.#stream);
  }

  /** Frees the source and ends the stream. */
  stop(): void {
    this.pictured.value = false;
    void this.archive.endRecording();
    this.#opening.abort();
    this.opening.value = undefined;
    this.#hangUp();
    this.source.peek()?.close();
    this.source.value = undefined;
  }

  #opened(stream: MillraceStream): void {
    this.#stream = stream;
    void this.#learnCosts();
    this.desk.attach(stream);
    this.previews.follow(stream);
    this.server.follow(stream);
    this.#send();
    if (this.#elements === undefined) return;
    const { canvas } = this.#elements;
    const drawn = (): void => {
      // The last picture of a stream may be drawn after the stream ended or its connection was lost.
      if (this.#stream !== stream || this.link.state.peek().name !== 'live') return;
      this.flowing.value = true;
      this.pictured.value = true;
      this.#drawn.value = `${canvas.width} × ${canvas.height}`;
    };
    drawResults(stream, canvas, { drawn }).catch((error: unknown) => {
      // The link reports errors that end the stream.
      if (!(error instanceof MillraceError)) this.announce('This browser could not show the picture.');
    });
  }

  /** Asks what frames cost: the server may have calibrated since the page asked first. */
  async #learnCosts(): Promise<void> {
    const known = this.capabilities.peek();
    if (known === undefined || known.frame_costs !== undefined) return;
    const { frame_costs: costs } = await fetchCapabilities(this.#url).catch(() => known);
    if (costs !== undefined) this.capabilities.value = { ...known, frame_costs: costs };
  }

  #hangUp(): void {
    this.#sender?.stop();
    this.link.close();
    this.#closed();
  }

  #closed(): void {
    this.#stream = undefined;
    this.#stats.value = undefined;
    this.flowing.value = false;
    this.previews.clear();
    this.desk.detach();
  }

  #send(): void {
    this.#sender?.stop();
    const source = this.source.peek();
    if (this.#stream === undefined || this.#elements === undefined || source === undefined) return;
    if (source.kind === 'words') return;
    this.#sender = new VideoSource(this.#stream, this.#elements.video, {
      mirror: this.mirror.peek(),
    });
  }
}
