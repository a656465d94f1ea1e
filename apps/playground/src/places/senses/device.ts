/** A camera or a microphone of the page: opened, lost, refused. What went wrong is a word that the page has words for. */
export const troubles = ['refused', 'missing', 'busy', 'insecure', 'lost', 'other'] as const;
export type Trouble = (typeof troubles)[number];

export interface Opened {
  readonly stream: MediaStream;
  close(): void;
}

const troubleOf: Readonly<Record<string, Trouble>> = {
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

/** Asks for a device; `onLost` hears when it is taken away later. */
export async function openDevice(
  wanted: MediaStreamConstraints,
  onLost: (why: Trouble) => void,
): Promise<MediaStream | Trouble> {
  // pages that are not secure have no devices at all, whatever the types say
  if (!('mediaDevices' in navigator)) return 'insecure';
  try {
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    // fired where the device goes or the person takes the permission back, not by stop()
    for (const track of stream.getTracks()) track.addEventListener('ended', () => onLost('lost'), { once: true });
    return stream;
  } catch (error) {
    return (error instanceof DOMException ? troubleOf[error.name] : undefined) ?? 'other';
  }
}
