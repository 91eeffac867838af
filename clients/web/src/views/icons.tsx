import type { ComponentChildren, JSX } from 'preact';

function Icon({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {children}
    </svg>
  );
}

export const icons = {
  clip: (
    <Icon>
      <path d="M8 5.5v13l10.5-6.5z" />
    </Icon>
  ),
  camera: (
    <Icon>
      <rect x="3" y="6.5" width="12.5" height="11" rx="2.5" />
      <path d="m15.5 10.5 5-3v9l-5-3z" />
    </Icon>
  ),
  screen: (
    <Icon>
      <rect x="3" y="4.5" width="18" height="12" rx="2" />
      <path d="M9 20h6M12 16.5V20" />
    </Icon>
  ),
  tab: (
    <Icon>
      <rect x="3" y="5" width="18" height="14" rx="2" />
      <path d="M3 9.5h18M8.5 5v4.5" />
    </Icon>
  ),
  file: (
    <Icon>
      <path d="M12 15.5V4.5m0 0L7.5 9M12 4.5 16.5 9" />
      <path d="M4.5 15v2.5a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2V15" />
    </Icon>
  ),
  words: (
    <Icon>
      <path d="M4 6.5h16M4 11.5h16M4 16.5h9" />
    </Icon>
  ),
  split: (
    <Icon>
      <rect x="3" y="5" width="18" height="14" rx="2.5" />
      <path d="M12 5v14" />
    </Icon>
  ),
  full: (
    <Icon>
      <path d="M9 4.5H4.5V9M15 4.5h4.5V9M9 19.5H4.5V15M15 19.5h4.5V15" />
    </Icon>
  ),
  project: (
    <Icon>
      <rect x="3" y="4.5" width="18" height="11.5" rx="2" />
      <path d="M12 16v4M8 20h8M9.5 8 14 10.2 9.5 12.5z" />
    </Icon>
  ),
  share: (
    <Icon>
      <circle cx="6" cy="12" r="2.5" />
      <circle cx="17.5" cy="6" r="2.5" />
      <circle cx="17.5" cy="18" r="2.5" />
      <path d="m8.2 10.8 7-3.6M8.2 13.2l7 3.6" />
    </Icon>
  ),
  save: (
    <Icon>
      <path d="M12 4.5v11m0 0L7.5 11m4.5 4.5 4.5-4.5M4.5 19.5h15" />
    </Icon>
  ),
  stop: (
    <Icon>
      <rect x="6.5" y="6.5" width="11" height="11" rx="2" />
    </Icon>
  ),
  turn: (
    <Icon>
      <path d="M4.5 12a7.5 7.5 0 0 1 12.8-5.3L19.5 9M19.5 4.5V9H15M19.5 12a7.5 7.5 0 0 1-12.8 5.3L4.5 15M4.5 19.5V15H9" />
    </Icon>
  ),
  styles: (
    <Icon>
      <rect x="4" y="4" width="7" height="7" rx="1.5" />
      <rect x="13" y="4" width="7" height="7" rx="1.5" />
      <rect x="4" y="13" width="7" height="7" rx="1.5" />
      <rect x="13" y="13" width="7" height="7" rx="1.5" />
    </Icon>
  ),
  looks: (
    <Icon>
      <path d="M6.5 4.5h11v15L12 15.5l-5.5 4z" />
    </Icon>
  ),
  perform: (
    <Icon>
      <path d="M6 4.5v6m0 4v5M12 4.5v9m0 4v2M18 4.5v3m0 4v8M4 12.5h4M10 15.5h4M16 9.5h4" />
    </Icon>
  ),
  dice: (
    <Icon>
      <rect x="4.5" y="4.5" width="15" height="15" rx="3" />
      <path d="M9 9h.01M15 15h.01M12 12h.01" stroke-width="2.6" />
    </Icon>
  ),
  record: (
    <Icon>
      <circle cx="12" cy="12" r="6" />
    </Icon>
  ),
  close: (
    <Icon>
      <path d="m6 6 12 12M18 6 6 18" />
    </Icon>
  ),
  wave: (
    <Icon>
      <path d="M3 9.5c3.3-3.3 5.7-3.3 9 0s5.7 3.3 9 0M3 15.5c3.3-3.3 5.7-3.3 9 0s5.7 3.3 9 0" />
    </Icon>
  ),
} as const;
