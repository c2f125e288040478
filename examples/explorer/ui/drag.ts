/** Dragging with a pointer, within an SVG. */
import { useRef } from 'preact/hooks';

/** A pointer in the units of the SVG's view box. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface DragHandlers {
  readonly onPointerDown: (event: PointerEvent) => void;
  readonly onPointerMove: (event: PointerEvent) => void;
  readonly onPointerUp: (event: PointerEvent) => void;
  readonly onPointerCancel: (event: PointerEvent) => void;
}

interface Options {
  readonly begin?: (at: Point) => void;
  readonly move: (at: Point, from: Point) => void;
  readonly end?: () => void;
}

/** Handlers for an element that can be dragged; the pointer may leave it meanwhile. */
export function useDrag(): (options: Options) => DragHandlers {
  const from = useRef<Point | null>(null);
  return ({ begin, move, end }) => {
    const stop = () => {
      if (from.current === null) return;
      from.current = null;
      end?.();
    };
    return {
      onPointerDown: (event) => {
        if (event.button !== 0 || !(event.currentTarget instanceof SVGElement)) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        event.currentTarget.focus();
        event.preventDefault();
        from.current = pointIn(event);
        begin?.(from.current);
      },
      onPointerMove: (event) => {
        if (from.current !== null) move(pointIn(event), from.current);
      },
      onPointerUp: stop,
      onPointerCancel: stop,
    };
  };
}

function pointIn(event: PointerEvent): Point {
  const target = event.currentTarget;
  if (!(target instanceof SVGElement)) return { x: 0, y: 0 };
  const svg = target instanceof SVGSVGElement ? target : target.ownerSVGElement;
  const matrix = svg?.getScreenCTM();
  if (!matrix) return { x: 0, y: 0 };
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  return { x, y };
}
