# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's words in other languages."""

from __future__ import annotations

LANGUAGES = (("de", "de_DE"), ("fr", "fr_FR"), ("es", "es_ES"))
"""Blender's names for each; the older and the newer one."""
OPERATORS = {"Score selection", "Score timeline range", "Start", "Check", "Cancel", "Re-score what changed"} | {
    "Score the rendered picture",
    "Cut selection to the music",
    *("Regenerate from playhead", "Regenerate in range", "Remove markers", "Take A", "Take B", "Take C"),
}
"""Words on buttons, which Blender looks up apart."""
WORDS = {
    "Hitpoint is ready": ("Hitpoint ist bereit", "Hitpoint est prêt", "Hitpoint está listo"),
    "Hitpoint is not running": ("Hitpoint läuft nicht", "Hitpoint n'est pas lancé", "Hitpoint no está en marcha"),
    "Hitpoint needs an update": (
        *("Hitpoint muss aktualisiert werden", "Hitpoint doit être mis à jour", "Hay que actualizar Hitpoint"),
    ),
    "Hitpoint is starting …": ("Hitpoint startet …", "Hitpoint démarre …", "Hitpoint se está iniciando …"),
    "Waiting for Hitpoint": ("Warten auf Hitpoint", "En attente de Hitpoint", "Esperando a Hitpoint"),
    "Start": ("Starten", "Lancer", "Iniciar"),
    "Check": ("Prüfen", "Vérifier", "Comprobar"),
    "Cancel": ("Abbrechen", "Annuler", "Cancelar"),
    "Score selection": ("Auswahl vertonen", "Composer pour la sélection", "Componer para la selección"),
    "Score timeline range": ("Zeitbereich vertonen", "Composer pour la plage", "Componer para el intervalo"),
    "Cut selection to the music": (
        *("Auswahl auf die Musik schneiden", "Monter la sélection sur la musique", "Montar la selección con la música"),
    ),
    "Rendering the picture": ("Bild wird gerendert", "Rendu de l'image", "Renderizando la imagen"),
    "Score the rendered picture": (
        *("Gerendertes Bild vertonen", "Composer pour l'image rendue", "Componer para la imagen renderizada"),
    ),
    "Reading the edit": ("Schnitt wird gelesen", "Lecture du montage", "Leyendo el montaje"),
    "Watching the film": ("Film wird angesehen", "Visionnage du film", "Viendo la película"),
    "Planning the hits": ("Treffer werden geplant", "Placement des accents", "Planeando los acentos"),
    "Composing": ("Komponieren", "Composition", "Componiendo"),
    "Recording": ("Aufnehmen", "Enregistrement", "Grabando"),
    "Genre": ("Genre", "Genre", "Género"),
    "Chords": ("Akkorde", "Accords", "Acordes"),
    "Planned": ("Geplant", "Prévus", "Planeados"),
    "Binding": ("Verbindlich", "Imposés", "Obligatorios"),
    "Free": ("Frei", "Libres", "Libres"),
    "My own": ("Eigene", "Les miens", "Los míos"),
    "Chord file": ("Akkorddatei", "Fichier d'accords", "Archivo de acordes"),
    "Lead": ("Melodie spielt", "Mélodie jouée par", "Melodía a cargo de"),
    "Tune": ("Thema", "Thème", "Tema"),
    "Tempo": ("Tempo", "Tempo", "Tempo"),
    "Auto": ("Automatisch", "Automatique", "Automático"),
    "Fixed": ("Fest", "Fixe", "Fijo"),
    "Range": ("Bereich", "Plage", "Intervalo"),
    "From": ("Von", "De", "Desde"),
    "To": ("Bis", "À", "Hasta"),
    "Hit": ("Treffen", "Marquer", "Marcar"),
    "All cuts": ("Alle Schnitte", "Toutes les coupes", "Todos los cortes"),
    "Edit points only": ("Nur Schnittpunkte", "Points de montage seulement", "Solo puntos de edición"),
    "Drums": ("Schlagzeug", "Batterie", "Batería"),
    "Piano": ("Klavier", "Piano", "Piano"),
    "Guitar": ("Gitarre", "Guitare", "Guitarra"),
    "Bass": ("Bass", "Basse", "Bajo"),
    "Strings": ("Streicher", "Cordes", "Cuerdas"),
    "Follow picture": ("Dem Bild folgen", "Suivre l'image", "Seguir la imagen"),
    "Energy": ("Energie", "Énergie", "Energía"),
    "Composer": ("Komponist", "Compositeur", "Compositor"),
    "Your music": ("Eigene Musik", "Votre musique", "Su música"),
    "Seed": ("Startwert", "Graine", "Semilla"),
    "One strip for each instrument": (
        *("Ein Strip je Instrument", "Une bande par instrument", "Una tira por instrumento"),
    ),
    "Mood": ("Stimmung", "Ambiance", "Ambiente"),
    "From the picture": ("Aus dem Bild", "D'après l'image", "Según la imagen"),
    "Suggest the genre": ("Genre vorschlagen", "Proposer le genre", "Proponer el género"),
    "In words": ("In Worten", "En mots", "En palabras"),
    "Valence": ("Freude", "Valence", "Valencia"),
    "Arousal": ("Erregung", "Excitation", "Excitación"),
    "Tension": ("Spannung", "Tension", "Tensión"),
    "Style": ("Stil", "Style", "Estilo"),
    "Music": ("Musik", "Musique", "Música"),
    "Live": ("Live", "En direct", "En vivo"),
    "Mute": ("Stumm", "Muet", "Silenciar"),
    "Take A": ("Take A", "Prise A", "Toma A"),
    "Take B": ("Take B", "Prise B", "Toma B"),
    "Take C": ("Take C", "Prise C", "Toma C"),
    "{hit} of {found} cuts hit": (
        *(
            "{hit} von {found} Schnitten getroffen",
            "{hit} coupes marquées sur {found}",
            "{hit} de {found} cortes marcados",
        ),
    ),
    "missed: {at}": ("verfehlt: {at}", "manquée : {at}", "sin marcar: {at}"),
    "Re-score what changed": ("Geändertes neu vertonen", "Recomposer ce qui a changé", "Recomponer lo cambiado"),
    "Regenerate from playhead": (
        *("Ab Abspielkopf neu", "Refaire depuis la tête de lecture", "Regenerar desde el cabezal"),
    ),
    "Regenerate in range": ("Im Bereich neu", "Refaire dans la plage", "Regenerar en el intervalo"),
    "Remove markers": ("Marker entfernen", "Supprimer les marqueurs", "Quitar marcadores"),
}


def table() -> dict[str, dict[tuple[str, str], str]]:
    """The words as Blender wants them: language -> (context, English) -> words."""
    tables: dict[str, dict[tuple[str, str], str]] = {}
    for index, names in enumerate(LANGUAGES):
        words = {("*", english): each[index] for english, each in WORDS.items()}
        words |= {("Operator", english): WORDS[english][index] for english in OPERATORS}
        for name in names:
            tables[name] = words
    return tables
